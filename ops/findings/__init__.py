"""What `review`, `audit` and `doctor` have in common: findings, waivers, formats, the exit code."""
