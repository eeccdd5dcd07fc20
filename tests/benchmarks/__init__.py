"""What a validation costs, here and elsewhere: `make bench`."""
