"""The short way of a tool call that is in order; everything else goes the ordinary way, through the MCP SDK."""
