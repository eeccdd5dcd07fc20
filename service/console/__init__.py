"""The pages for people: the console at `/` and the API documentation at `/docs`."""
