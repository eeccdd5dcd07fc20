"""Arithmetic expressions without eval: a strict reader, an allow-list of syntax nodes, limits before each step.

The expression comes from a stranger, so size, depth and magnitude are bounded before anything is computed.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Final

Number = int | float

MAX_LENGTH: Final = 256
MAX_NODES: Final = 100
MAX_DEPTH: Final = 32
MAX_BITS: Final = 256
# RFC 8259 section 6: the integers on which all readers of JSON agree.
MAX_RESULT: Final = 2**53 - 1

_TOO_LARGE: Final = "A number in the expression is too large; use smaller numbers"
_TOKEN: Final = re.compile(
    r"""[ \t]*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)(?![A-Za-z0-9_.])
      | (?P<name>[a-z]+)
      | (?P<operator>\*\*|//|[-+*/%(),])
    )""",
    re.VERBOSE | re.ASCII,
)

_BINARY: Final[dict[type[ast.operator], Callable[[Number, Number], Number]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Number], Number]]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def _round(number: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int) or not 0 <= digits <= 15:
        raise ArithmeticFault("round takes 0 to 15 digits")
    return round(number, digits) if digits else round(number)


_FUNCTIONS: Final[dict[str, tuple[Callable[..., Number], int, int]]] = {
    "abs": (abs, 1, 1),
    "max": (max, 2, 16),
    "min": (min, 2, 16),
    "round": (_round, 1, 2),
    "sqrt": (math.sqrt, 1, 1),
}


class ArithmeticFault(Exception):
    """The expression has no value here; the text says why and what to change, without repeating the expression."""


def evaluate(expression: str) -> Number:
    """Return the value of an arithmetic expression.

    Args:
        expression: at most 256 characters of numbers, operators, parentheses and the functions listed above.

    Raises:
        ArithmeticFault: it cannot be read, is too large, or has no finite real value.
    """
    if len(expression) > MAX_LENGTH:
        raise ArithmeticFault(f"The expression is longer than {MAX_LENGTH} characters; shorten it")
    _check_tokens(expression)
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ArithmeticFault("The expression cannot be read; check parentheses, operators and leading zeros") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ArithmeticFault("The expression has too many parts; split it")
    try:
        result = _value(tree.body, MAX_DEPTH)
    except ZeroDivisionError:
        raise ArithmeticFault("The expression divides by zero") from None
    except OverflowError:
        raise ArithmeticFault(_TOO_LARGE) from None
    except ValueError:
        raise ArithmeticFault("The expression has no real value, such as the root of a negative number") from None
    if isinstance(result, int) and abs(result) > MAX_RESULT:
        raise ArithmeticFault("The result is a larger integer than JSON carries exactly; multiply by 1.0 for a float")
    return result


def _check_tokens(expression: str) -> None:
    """Refuse every character and word that arithmetic does not need, before Python's own parser sees any."""
    position, end = 0, len(expression.rstrip(" \t"))
    while position < end:
        token = _TOKEN.match(expression, position, end)
        if token is None:
            raise ArithmeticFault(f"Character {position + 1} of the expression begins nothing that is arithmetic")
        name = token["name"]
        if name is not None and name not in _FUNCTIONS:
            raise ArithmeticFault(f"The expression has an unknown word; the functions are {', '.join(_FUNCTIONS)}")
        position = token.end()


def _value(node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise ArithmeticFault("The expression is nested too deeply; split it")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _bounded(number)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_value(operand, depth - 1))
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _BINARY:
            return _binary(type(operation), _value(left, depth - 1), _value(right, depth - 1))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            function, least, most = _FUNCTIONS[name]
            if not least <= len(arguments) <= most:
                raise ArithmeticFault(f"{name} takes {least} to {most} numbers")
            return _bounded(function(*(_value(argument, depth - 1) for argument in arguments)))
    raise ArithmeticFault("The expression is no arithmetic; use numbers, operators, parentheses and functions only")


def _binary(operation: type[ast.operator], left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        if operation is ast.Pow and right > 0 and abs(left) > 1 and left.bit_length() * right > MAX_BITS:
            raise ArithmeticFault(_TOO_LARGE)
        if operation is ast.Mult and left.bit_length() + right.bit_length() > MAX_BITS:
            raise ArithmeticFault(_TOO_LARGE)
    return _bounded(_BINARY[operation](left, right))


def _bounded(number: object) -> Number:
    if isinstance(number, complex):
        raise ArithmeticFault("The expression has no real value, such as the root of a negative number")
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ArithmeticFault(_TOO_LARGE)
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise ArithmeticFault(_TOO_LARGE)
    return number
