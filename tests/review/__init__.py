"""Plans for `secure-mcp review`: see README.md."""
