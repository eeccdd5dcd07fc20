"""What log, audit trail, metrics and traces cost a whole call: the third part of `make bench`."""
