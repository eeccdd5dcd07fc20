"""Who is calling, and may they: keys, token, guard, challenge, metadata."""
