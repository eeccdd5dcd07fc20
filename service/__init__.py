"""The MCP resource server: FastAPI and FastMCP behind one guard."""
