"""The MCP resource server: FastAPI and FastMCP behind one guard."""

__version__ = "0.1.0"
