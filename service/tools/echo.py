"""Say it back: the smallest tool, to see that everything in front of it works."""

from typing import Annotated

from pydantic import Field

from service.tools.registry import tool


@tool(scopes=("mcp:read",), title="Echo", example={"text": "hello"})
async def echo(text: Annotated[str, Field(description="What to say back.", max_length=10_000)]) -> str:
    """Return the text unchanged."""
    return text
