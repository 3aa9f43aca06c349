"""The errors whose text is written for the person at the keyboard."""

from collections.abc import Sequence


class FixfirstError(Exception):
    """A problem the user can act on; the command line prints its text and nothing else."""


class InvalidInput(FixfirstError):
    """A file, value or array that does not keep its contract.

    `where` is the place (file, line, row, key), `problem` what was found there and what was expected,
    `fix` what to do about it.
    """

    def __init__(self, where: str, problem: str, fix: str = "") -> None:
        self.where, self.problem, self.fix = where, problem, fix
        text = f"{where}: {problem}." + (f" Fix: {fix}." if fix else "")
        # a JSON file can hold half a surrogate pair, which no terminal and no record can
        super().__init__(text.encode("utf-8", "backslashreplace").decode())

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[str, str, str]]:
        return type(self), (self.where, self.problem, self.fix)


class Unsuitable(FixfirstError):
    """A ranker or learner that cannot work on this data, with the reason; the others go on without it."""


def first_three(examples: Sequence[object]) -> str:
    """The count and the first three examples, as every rejection reports them: `2 in all: a, b`."""
    shown = ", ".join(str(example) for example in examples[:3])
    return f"{len(examples)} in all: {shown}" + (", …" if len(examples) > 3 else "")
