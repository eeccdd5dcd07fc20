"""Plain HTTP beside MCP: the REST view of the tools, and health."""
