"""What can go wrong for an operator: a sentence, the next step and an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `secure-mcp`, the same for every command."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREACHABLE = 3


class OperatorError(Exception):
    """Something that the operator can mend.

    Args:
        problem: what is wrong, one sentence without a secret in it.
        next_step: what to do about it.
        code: the exit code of the command.
    """

    def __init__(self, problem: str, next_step: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(f"{problem} {next_step}")
        self.problem = problem
        self.next_step = next_step
        self.code = code


def unreachable(problem: str, next_step: str) -> OperatorError:
    """Return the error for something that had to answer and did not (exit code 3)."""
    return OperatorError(problem, next_step, ExitCode.UNREACHABLE)


def findings(problem: str, next_step: str) -> OperatorError:
    """Return the error for something that answered, but not as it should (exit code 1)."""
    return OperatorError(problem, next_step, ExitCode.FINDINGS)
