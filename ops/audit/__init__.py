"""The live realm against what is declared: `secure-mcp audit` and `secure-mcp repair`."""
