"""The errors whose text is written for the person at the keyboard."""

import unicodedata
from collections.abc import Sequence


def printable(text: str) -> str:
    """The text on one line, with every character that moves a cursor, or is no character, as its escape: `\\x1b`.

    Names and cells of a stranger's file reach terminals, records and pages this way.
    """
    if text.isprintable():
        return text
    return "".join(one if _is_harmless(one) else one.encode("unicode_escape").decode() for one in text)


def _is_harmless(one: str) -> bool:
    return one.isprintable() or unicodedata.category(one) == "Zs"


class FixfirstError(Exception):
    """A problem the user can act on; the command line prints its text and nothing else."""


class InvalidInput(FixfirstError):
    """A file, value or array that does not keep its contract.

    `where` is the place (file, line, row, key), `problem` what was found there and what was expected,
    `fix` what to do about it. The text is `printable`.
    """

    def __init__(self, where: str, problem: str, fix: str = "") -> None:
        self.where, self.problem, self.fix = where, problem, fix
        super().__init__(printable(f"{where}: {problem}." + (f" Fix: {fix}." if fix else "")))

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[str, str, str]]:
        return type(self), (self.where, self.problem, self.fix)


class Unsuitable(FixfirstError):
    """A ranker or learner that cannot work on this data, with the reason; the others go on without it."""


def first_three(examples: Sequence[object]) -> str:
    """The count and the first three examples, as every rejection reports them: `2 in all: a, b`."""
    shown = ", ".join(printable(str(example)) for example in examples[:3])
    return f"{len(examples)} in all: {shown}" + (", …" if len(examples) > 3 else "")
