"""A pocket calculator."""

from typing import Annotated

from pydantic import Field

from service.tools.arithmetic import MAX_LENGTH, ArithmeticFault, evaluate
from service.tools.registry import ToolFailure, tool


@tool(scopes=("mcp:write",), title="Calculate", example={"expression": "(2 + 3) * 4"})
async def calculate(
    expression: Annotated[
        str,
        Field(
            description="Numbers, + - * / // % **, parentheses, and abs, max, min, round, sqrt.",
            min_length=1,
            max_length=MAX_LENGTH,
        ),
    ],
) -> int | float:
    """Evaluate an arithmetic expression."""
    try:
        return evaluate(expression)
    except ArithmeticFault as fault:
        raise ToolFailure(str(fault)) from None
