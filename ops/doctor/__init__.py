"""`secure-mcp doctor`: the way of a client to an MCP server behind Keycloak, looked at hop by hop."""
