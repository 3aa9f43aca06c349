"""What is on the reviewer's desk: every row's state, the order, and the decisions. Knows nothing of HTTP."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place, sentence
from cleaning.labels.ranked import Ranked
from evaluation.labels.decisions import Entry, Shown, now
from evaluation.labels.opened import Review
from evaluation.labels.page.rounds import Round, first_round, next_round
from evaluation.labels.ranking import rank_source
from evaluation.labels.verdicts import Action, History, Verdicts, changes, is_error

STATES = ("open", "fixed", "kept", "dropped", "unsure", "disagreement")
_OPEN, _FIXED, _KEPT, _DROPPED, _UNSURE, _DISAGREE = range(len(STATES))
_STATE_OF = {"keep": _KEPT, "drop": _DROPPED, "unsure": _UNSURE}
# So many orders are kept for pages that show an older one.
_ROUNDS_KEPT = 8
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Wish:
    """One decision that a reviewer makes: the verdict about a row, and the label if the verdict is `label`."""

    row: int
    verdict: str
    label: str | None = None


class Desk:
    """One reviewer's view of a review, safe to use from several threads.

    by: the reviewer. batch: after so many decisions, the order is computed anew. first_looks: whether the rows that
    were drawn to count wrong labels by come first. lost: the decisions that do not count.
    """

    def __init__(self, review: Review, by: str, batch: int, *, first_looks: bool = False) -> None:
        self.review, self.by, self.batch = review, by, batch
        self.lock = threading.RLock()
        entries, self.lost = review.places.split(review.log.entries)
        self.classes = list(dict.fromkeys([*review.source.classes, *(one.label for one in entries if one.label)]))
        self.code = {name: number for number, name in enumerate(self.classes)}
        self.given: IntVector = np.asarray(review.source.labels)
        self.state = np.zeros(len(review.source), dtype=np.int8)
        self.verdicts = Verdicts()
        names = review.description.first_looks if first_looks else []
        self._first = [review.rows[name] for name in names if name in review.rows]
        self.rounds: list[Round] = [first_round(review, self.classes, self._first)]
        self.failed: str | None = None
        self._followed = 0
        self._renewed_at = self.round.looks
        self._thread: threading.Thread | None = None
        self._ranked: Ranked | None = None
        self.follow()

    @property
    def round(self) -> Round:
        """The latest round."""
        return self.rounds[-1]

    def round_of(self, number: int | None) -> Round:
        """The round with this number, or the latest if it is no longer kept."""
        return next((one for one in self.rounds if one.number == number), self.round)

    @property
    def drawn(self) -> int:
        """How many of the rows that come first, to count wrong labels by, are still to be looked at."""
        return int(np.count_nonzero(self.state[self._first] == _OPEN)) if self._first else 0

    @property
    def computing(self) -> bool:
        """Whether a new order is being computed."""
        return self._thread is not None

    def follow(self) -> None:
        """Takes note of what was added to the log since, by anybody. Starts a new round if it is time."""
        with self.lock:
            self.review.log.read()
            self._take()
            looks = len(self.verdicts.rows)
            due = looks - self._renewed_at >= self.batch and self.review.source.stored is None
            if due and self._thread is None:
                self._renewed_at = looks
                self._thread = threading.Thread(target=self._renew, daemon=True)
                self._thread.start()

    def decide(self, wishes: Sequence[Wish], round_number: int) -> list[Entry]:
        """Saves decisions as one action. Raises InvalidInput for a row that does not exist, or no label to keep.

        round_number: the round by which the rows were shown. If it is no longer kept, only the given label is logged.
        """
        with self.lock:
            seen = next((one for one in self.rounds if one.number == round_number), None)
            for wish in wishes:
                self._refuse(wish)
            return self._append(lambda at: [self._entry(wish, seen, at) for wish in wishes])

    def undo(self) -> list[Entry]:
        """Takes back the reviewer's last action. Empty if there is none."""
        return self._again(lambda: self.history.done, {"verdict": "undo", "label": None})

    def redo(self) -> list[Entry]:
        """Repeats the action that was taken back last. Empty if there is none."""
        return self._again(lambda: self.history.undone, {})

    @property
    def history(self) -> History:
        """The reviewer's actions."""
        return self.verdicts.histories.get(self.by, History())

    def standing(self, row: int) -> Entry | None:
        """The decision about a row that counts."""
        return self.verdicts.standing(row)

    def label_of(self, row: int) -> str | None:
        """The label that a row was given by a decision."""
        entry = self.standing(row)
        return None if entry is None else entry.label

    def wrong(self, entry: Entry) -> bool:
        """Whether a decision found a wrong label."""
        return is_error(entry, int(self.given[entry.row]), self.code)

    def wait(self) -> None:
        """Waits for the round that is being computed."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _again(self, actions: Callable[[], list[Action]], change: Mapping[str, object]) -> list[Entry]:
        def make(at: datetime) -> list[Entry]:
            last = actions()[-1].entries if actions() else []
            return [entry.model_copy(update={**change, "at": at}) for entry in last]

        with self.lock:
            return self._append(make)

    def _append(self, make: Callable[[datetime], list[Entry]]) -> list[Entry]:
        """Saves the entries that are made for one moment, which is later than that of any action of the reviewer."""

        def made() -> list[Entry]:
            self._take()
            last = max((action.at for action in [*self.history.done, *self.history.undone]), default=None)
            moment = now()
            return make(moment if last is None else max(moment, last + _TICK))

        entries = self.review.log.append(made)
        self.follow()
        return entries

    def _renew(self) -> None:
        """Computes the next round, in a thread of its own."""
        try:
            with self.lock:
                before = self.round
                checked, left_out = self.verdicts.facts(self.given, self.code)
                found = sum(map(self.wrong, self.verdicts.counting.values()))
            if self._ranked is None:
                source, trusted, seed = self.review.source, self.review.trusted, self.review.description.seed
                self._ranked = rank_source(source, trusted, seed, {*checked, *left_out})
            renewed, failed = next_round(before, self._ranked, checked, left_out, found, self._first), None
        except Exception as error:  # a failure must not end the review: the old order stays, and the page says why
            renewed, failed = None, f"The order could not be computed anew: {sentence(error)}"
        with self.lock:
            self.failed, self._thread = failed, None
            if renewed is not None:
                self.rounds = [*self.rounds[1 - _ROUNDS_KEPT :], renewed]

    def _take(self) -> None:
        entries = self.review.log.entries[self._followed :]
        self._followed += len(entries)
        placed, lost = self.review.places.split(entries)
        if lost or self.lost:
            _, self.lost = self.review.places.split(self.review.log.entries)
        for entry in placed:
            if entry.label is not None and entry.label not in self.code:
                self.code[entry.label] = len(self.classes)
                self.classes.append(entry.label)
            self.verdicts.take(entry)
            self.state[entry.row] = self._state(entry.row)

    def _state(self, row: int) -> int:
        entry = self.standing(row)
        if entry is None:
            return _OPEN
        if self.verdicts.disagree(row):
            return _DISAGREE
        return _STATE_OF.get(entry.verdict, _FIXED if changes(entry, int(self.given[entry.row]), self.code) else _KEPT)

    def _refuse(self, wish: Wish) -> None:
        if not 0 <= wish.row < len(self.given):
            raise InvalidInput(Place(row=wish.row), "there is no such row", "reload the page")
        if wish.verdict == "keep" and self.given[wish.row] < 0:
            raise InvalidInput(Place(row=wish.row), "there is no label to keep", "choose a label")

    def _entry(self, wish: Wish, seen: Round | None, at: datetime) -> Entry:
        row, source = wish.row, self.review.source
        given = None if self.given[row] < 0 else self.classes[self.given[row]]
        same = wish.label is not None and wish.label == given
        return Entry(
            id=source.ids[row],
            row=row,
            hash=source.hashes[row],
            verdict="keep" if same else wish.verdict,  # type: ignore[arg-type]
            label=None if same else wish.label,
            by=self.by,
            at=at,
            shown=Shown(given=given) if seen is None else self._shown(row, given, seen),
        )

    def _shown(self, row: int, given: str | None, seen: Round) -> Shown:
        suspicion = float(seen.suspicion[row])
        return Shown(
            given=given,
            suggested=self.classes[seen.suggestion[row]],
            probability=round(float(seen.probability[row]), 6),
            suspicion=None if np.isnan(suspicion) else round(suspicion, 6),
            place=int(np.flatnonzero(seen.order == row)[0]) + 1,
            round=seen.number,
        )
