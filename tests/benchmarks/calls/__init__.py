"""What a whole authenticated call costs, here and elsewhere: the second part of `make bench`."""
