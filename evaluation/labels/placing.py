"""Which row of a source each decision is about, as the source is now."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from shlex import quote
from typing import Literal, NamedTuple

from cleaning.errors import bounded, listed, printable
from evaluation.labels.decisions import Entry
from evaluation.labels.source import Source
from evaluation.labels.verdicts import Verdicts

_LONGEST_FLAG = 200
_SEVERAL = -1
_PICTURES = ("class folders", "folder with a table")
_Reason = Literal["gone", "changed", "several"]
_SAID: dict[_Reason, tuple[str, str]] = {
    "gone": ("there is no row {id!r} in {path}", "restore it, or remove the line"),
    "changed": (
        "row {id!r} of {path} has changed since it was looked at",
        "restore it, or remove the line and look at the row again",
    ),
    "several": (
        "row {id!r} of {path} is no longer in its place, and several rows have its content",
        "restore the order of the rows, or remove the line and look at the row again",
    ),
}


class Lost(NamedTuple):
    """A decision that is about no row of the source as it is now, and why."""

    entry: Entry
    reason: _Reason


class Places:
    """Finds the rows of a source that decisions are about.

    A row is found by its id if its content is still the same. Where the id says where the row is (its number, or the
    folder of a picture, which is its label), the row may have moved, and is found by its content if no other has it.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows = {name: row for row, name in enumerate(source.ids)}

    def problem_with(self, entry: Entry) -> tuple[str, str] | None:
        """Why a decision is not about a row of the source as it is now, and what to do; None if it is."""
        found = self._row_of(entry)
        if isinstance(found, int):
            return None
        problem, fix = _SAID[found]
        return problem.format(id=bounded(entry.id), path=self.source.path), fix

    def split(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Lost]]:
        """The decisions about rows of the source, with the ids and numbers that these have now, and those that are
        lost: for each row about which no decision counts, the latest that stands.

        A decision to drop a row that is gone is not lost, but carried out.
        """
        fitting, others = list[Entry](), list[Lost]()
        seen = set[str]()
        for entry in entries:
            found = self._row_of(entry)
            if not isinstance(found, int):
                others.append(Lost(entry, found))
                continue
            seen.add(entry.id)
            here = {"id": self.source.ids[found], "row": found}
            same = (entry.id, entry.row) == tuple(here.values())
            fitting.append(entry if same else entry.model_copy(update=here))
        return fitting, self._standing([one for one in others if one.entry.id not in seen])

    def _row_of(self, entry: Entry) -> int | _Reason:
        row = self.rows.get(entry.id)
        if row is not None and self.source.hashes[row] == entry.hash:
            return row
        if self.source.form in _PICTURES or (self._are_numbers and entry.id.isdecimal()):
            moved = self._by_content.get(entry.hash)
            if moved is not None:
                return "several" if moved == _SEVERAL else moved
        return "gone" if row is None else "changed"

    def _standing(self, lost: Sequence[Lost]) -> list[Lost]:
        """The last decision about each row that stands, without those that were carried out."""
        number = {name: place for place, name in enumerate(dict.fromkeys(one.entry.id for one in lost))}
        verdicts = Verdicts(one.entry.model_copy(update={"row": number[one.entry.id]}) for one in lost)
        reasons = {one.entry.id: one.reason for one in lost}
        standing = [entry for row in verdicts.rows if (entry := verdicts.standing(row)) is not None]
        gone = {name for name, reason in reasons.items() if reason == "gone" or self._are_numbers}
        return [Lost(one, reasons[one.id]) for one in standing if one.verdict != "drop" or one.id not in gone]

    @cached_property
    def _are_numbers(self) -> bool:
        return all(name == str(row) for row, name in enumerate(self.source.ids))

    @cached_property
    def _by_content(self) -> dict[str, int]:
        """The row with each hash, or _SEVERAL."""
        found = dict[str, int]()
        for row, digest in enumerate(self.source.hashes):
            found[digest] = row if digest not in found else _SEVERAL
        return found


def columns_back(before: Sequence[str] | None, source: Source) -> str | None:
    """How to have the columns back by which a table was judged before; None if it still is. before: these columns."""
    now = source.options["features"]
    if before is None or not isinstance(now, list) or set(now) == set(before):
        return None
    gone, new = ([name for name in one if name not in other] for one, other in ((before, now), (now, before)))
    if gone:
        return f"put the column{'s' * (len(gone) != 1)} {listed(gone)} back, by which the rows were judged"
    flag, column = "--features=" + quote(",".join(before)), f"column{'s' * (len(new) != 1)} {listed(new)}"
    if (
        len(flag) > _LONGEST_FLAG
        or flag != printable(flag)
        or any("," in name or name.endswith("*") for name in before)
    ):
        return f"take the new {column} out of the table"
    return f"leave out the new {column}, with {flag}"


def said_of_lost(lost: Sequence[Lost], *, other_columns: bool = False) -> str:
    """That decisions do not count, and why, with one of them as an example.

    other_columns: whether that is because the table is judged by others.
    """
    count = "1 decision does" if len(lost) == 1 else f"{len(lost)} decisions do"
    name = bounded(lost[0].entry.id)
    example = f"row {name!r}" if len(lost) == 1 else f"for example row {name!r}"
    reasons = {one.reason for one in lost}
    why = ["is gone or has changed since"] if reasons - {"several"} else []
    why += ["has moved and is not the only one with its content"] if "several" in reasons else []
    if other_columns:
        return f"{count} not count, because the rows are judged by other columns now ({example})"
    return f"{count} not count, because the row {' or '.join(why)} ({example})"
