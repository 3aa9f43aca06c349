"""What was said about rows that somebody looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cleaning.data import IntVector
from cleaning.errors import InvalidInput


@dataclass(frozen=True)
class Verdict:
    """What was said about a row, in the terms of the log of `fixfirst review`.

    value, code: the right label and the number of its class; None and -1 where it was dropped, or nobody could tell.
    """

    kind: Literal["label", "keep", "drop", "unsure"]
    value: object = None
    code: int = -1

    @property
    def is_known(self) -> bool:
        """Whether the right label is known."""
        return self.kind in ("label", "keep")

    def __str__(self) -> str:
        return f"label: {self.value}" if self.kind == "label" else self.kind


class Looked:
    """The verdicts about rows. A later one replaces an earlier one, which stands again when the later is taken back."""

    def __init__(self) -> None:
        self._said: dict[int, list[Verdict]] = {}

    def __len__(self) -> int:
        return len(self._said)

    def __contains__(self, row: int) -> bool:
        return row in self._said

    def say(self, row: int, verdict: Verdict) -> None:
        """Adds a verdict about a row."""
        self._said.setdefault(row, []).append(verdict)

    def take_back(self, rows: IntVector) -> None:
        """Takes back the last verdict about each row. Raises InvalidInput, before any is, for a row without one."""
        listed = list(dict.fromkeys(rows.tolist()))
        for row in listed:
            if row not in self._said:
                raise InvalidInput("rows", f"nothing was decided about row {row}", "name rows that were decided")
        for row in listed:
            self._said[row].pop()
            if not self._said[row]:
                del self._said[row]

    @property
    def standing(self) -> dict[int, Verdict]:
        """The verdict that counts for each row."""
        return {row: said[-1] for row, said in self._said.items()}

    @property
    def right(self) -> dict[int, object]:
        """The right label of each row for which it is known, as it is in the data."""
        return {row: verdict.value for row, verdict in self.standing.items() if verdict.is_known}

    @property
    def checked(self) -> dict[int, int]:
        """The right class of each of these rows."""
        return {row: verdict.code for row, verdict in self.standing.items() if verdict.is_known}

    @property
    def left_out(self) -> frozenset[int]:
        """The other rows with a verdict."""
        return frozenset(self._said) - frozenset(self.checked)

    def words(self, rows: Iterable[int]) -> list[str | None]:
        """What is said of each of these rows; None for nothing."""
        standing = self.standing
        return [str(standing[row]) if row in standing else None for row in rows]
