"""Functions that look for what the rules name, one module a subject. Importing one registers it."""
