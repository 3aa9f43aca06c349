"""What the decisions amount to: the verdict that stands for each row, disagreements, and what can be undone."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cleaning.data import IntVector
from evaluation.labels.decisions import Entry

Rule = Literal["latest", "majority"]


@dataclass(eq=False)
class Action:
    """Entries that one person made together, at the same moment."""

    at: datetime
    entries: list[Entry]


@dataclass(eq=False)
class History:
    """One person's actions, the latest last: those that stand, and those that were undone and can be redone."""

    done: list[Action] = field(default_factory=list)
    undone: list[Action] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Follows one entry of the log."""
        if entry.verdict == "undo":
            taken = _removed(self.done, lambda old: old.row == entry.row)
            if taken is not None:
                _add(self.undone, taken, entry.at)
            return
        repeated = _removed(self.undone[-1:], lambda old: old.row == entry.row and old.opinion == entry.opinion)
        if repeated is None:
            self.undone.clear()
        self.undone = [action for action in self.undone if action.entries]
        _add(self.done, entry, entry.at)


class Verdicts:
    """The decisions that stand, by row and person. Grows by one entry of the log at a time."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.histories: dict[str, History] = {}
        self._decided: dict[int, dict[str, list[Entry]]] = {}
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Follows one more entry: a later decision about a row replaces the person's earlier one, undo restores it."""
        self.histories.setdefault(entry.by, History()).take(entry)
        people = self._decided.setdefault(entry.row, {})
        own = people.setdefault(entry.by, [])
        if entry.verdict != "undo":
            own.append(entry)
        elif own:
            own.pop()
        if not own:
            del people[entry.by]
        if not people:
            del self._decided[entry.row]

    @property
    def rows(self) -> list[int]:
        """The rows that somebody decided."""
        return list(self._decided)

    def of(self, row: int) -> list[Entry]:
        """Each person's decision about a row that stands, the latest last."""
        return sorted((own[-1] for own in self._decided.get(row, {}).values()), key=lambda entry: entry.at)

    def standing(self, row: int, rule: Rule = "latest") -> Entry | None:
        """The decision that counts; None if nobody decided, or if `majority` finds a tie.

        Someone who is unsure has no say where another person is sure.
        """
        found = _sure(self.of(row))
        if rule == "latest" or len({entry.opinion for entry in found}) <= 1:
            return found[-1] if found else None
        (most, count), (_, second) = Counter(entry.opinion for entry in found).most_common(2)
        return None if count == second else [entry for entry in found if entry.opinion == most][-1]

    @property
    def counting(self) -> dict[int, Entry]:
        """The decision that counts about each row that somebody decided."""
        return {row: entry for row in self._decided if (entry := self.standing(row)) is not None}

    def facts(self, given: IntVector, code: Mapping[str, int]) -> tuple[dict[int, int], frozenset[int]]:
        """The right class of each row for which it was decided, and the other decided rows: dropped, or not sure.

        given (n,): the class of each row before, negative for none. code: the number of each class.
        """
        checked = {}
        for row, entry in self.counting.items():
            if entry.label is not None:
                checked[row] = code[entry.label]
            elif entry.verdict == "keep" and given[row] >= 0:
                checked[row] = int(given[row])
        return checked, frozenset(self.rows) - frozenset(checked)

    def disagree(self, row: int) -> bool:
        """Whether two people who are sure decided differently."""
        people = self._decided.get(row, ())
        return len(people) > 1 and len({entry.opinion for entry in _sure(self.of(row))}) > 1

    def disagreements(self) -> list[int]:
        """The rows about which people disagree, in increasing order: those that need a third look."""
        return sorted(row for row in self._decided if self.disagree(row))


def is_error(entry: Entry, given: int, code: Mapping[str, int]) -> bool:
    """Whether a decision found a wrong label. given: the row's class before; a row without a label has no wrong one."""
    return given >= 0 and (entry.verdict == "drop" or changes(entry, given, code))


def changes(entry: Entry, given: int, code: Mapping[str, int]) -> bool:
    """Whether a decision gives a row another class than the given one, or its first."""
    return entry.label is not None and code[entry.label] != given


def _sure(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.verdict != "unsure"] or entries


def _add(actions: list[Action], entry: Entry, at: datetime) -> None:
    if actions and actions[-1].at == at:
        actions[-1].entries.append(entry)
    else:
        actions.append(Action(at, [entry]))


def _removed(actions: list[Action], wanted: Callable[[Entry], bool]) -> Entry | None:
    """Takes the latest entry that is wanted out of the actions, and an action out of the list that becomes empty."""
    for action in reversed(actions):
        for entry in reversed(action.entries):
            if wanted(entry):
                action.entries.remove(entry)
                if not action.entries:
                    actions.remove(action)
                return entry
    return None
