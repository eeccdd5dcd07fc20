"""The operator's command `secure-mcp`: runs the stack, gets tokens, calls tools, looks after the realm."""
