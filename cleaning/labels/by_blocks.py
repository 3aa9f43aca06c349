"""Very many rows in the order to look at them, judged by blocks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleaning.belief.blocks.judge import Judgement, judge_stored
from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.said import Annotators
from cleaning.belief.blocks.stored import Stored
from cleaning.belief.blocks.voted import Votes
from cleaning.belief.count import Count
from cleaning.belief.shown import Shift, shown_by
from cleaning.data import FloatVector, IntVector, Split
from cleaning.labels.ranked import FIRST_LOOKS, WORTH_DRAWING, Listed
from cleaning.looks import FirstLooks, drawn
from cleaning.parallel.engine import SERIAL, Engine
from cleaning.progress import Progress, silent
from cleaning.review import Round, by_drawn

LEFT_OUT = (
    "the data are large and were ranked by blocks: the order is by suspicion, not by expected gain; near copies and "
    "outliers were not looked for; a decision gives equal rows its label and moves all other suspicions up or down "
    "together, but does not teach which of them are wrong"
)
"""What is not done by blocks, for people."""

# The probability that a row with the content of a checked one is of its class.
_AS_COPY = 0.99


@dataclass(frozen=True, eq=False, kw_only=True)
class BlockRound(Round):
    """A round of rows that were judged by blocks; it has no posterior, but the deviations that `forecast` uses, unless
    the data cannot tell.
    """

    shared_deviations: tuple[float, float] | None

    @property
    def deviations(self) -> tuple[float, float] | None:
        """The deviations that `forecast` uses, in logits; None where the data cannot tell."""
        return None if self.left is None else self.shared_deviations


@dataclass(frozen=True, eq=False)
class BlockListed(Listed):
    """Rows that were judged by blocks. judgement: before any of them was looked at. annotators: what is believed about
    them now, if there are several and the data can tell.
    """

    judgement: Judgement
    annotators: Annotators | None


def list_stored(
    stored: Stored,
    labels: IntVector,
    trusted: Split | None = None,
    predicted: Predicted | None = None,
    votes: Votes | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    engine: Engine = SERIAL,
    progress: Progress = silent,
) -> BlockListed:
    """Rows in a file with labels (n,), negative for none, the most suspicious first. See `judge_stored`."""
    found = judge_stored(
        stored, labels, trusted, predicted, votes, seed=seed, folder=folder, engine=engine, progress=progress
    )
    return _listed(labels, found, _first_looks(found) if trusted is None else None, {}, ())


def looked_at(
    listed: BlockListed, labels: IntVector, checked: Mapping[int, int], left_out: Collection[int]
) -> BlockListed:
    """The same after decisions: the decided rows are at the end, those with a label before those without.

    Their copies get their labels. All suspicions are shifted by what the checked ones show of them (see `shown_by`).

    checked: the right class of each row that was looked at. left_out: rows without a decision that teaches.
    """
    return _listed(labels, listed.judgement, listed.first_looks, checked, left_out)


def _first_looks(found: Judgement) -> FirstLooks | None:
    """The rows drawn to count wrong labels by, among the labelled ones; None if these are few."""
    labelled = np.flatnonzero(~np.isnan(found.suspicion))
    if len(labelled) < WORTH_DRAWING:
        return None
    suspicion, order = found.suspicion[labelled].astype(np.float64), np.argsort(found.digests[labelled], kind="stable")
    return drawn(suspicion, order, FIRST_LOOKS, np.random.default_rng(0))


def _listed(
    labels: IntVector,
    found: Judgement,
    first_looks: FirstLooks | None,
    checked: Mapping[int, int],
    left_out: Collection[int],
) -> BlockListed:
    n = len(labels)
    decided, labelled = np.zeros(n, dtype=bool), labels >= 0
    decided[[*checked, *left_out]] = True
    now = _Now.of(labels, found, checked)
    suspicion, suggestion, probability = now.beliefs()
    # near 1, the shift makes different suspicions equal
    by_doubt = np.lexsort((-found.suspicion, np.where(labelled, -suspicion, 2 - probability)))
    groups = (labelled & ~decided, ~labelled & ~decided, labelled & decided, ~labelled & decided)
    order = np.concatenate([by_doubt[group[by_doubt]] for group in groups])
    known = np.flatnonzero(labelled)
    place = np.full(n, -1)
    place[known] = np.arange(len(known))
    ahead = order[: int(np.count_nonzero(groups[0]))]
    left, annotators = now.left(np.sort(ahead), first_looks, left_out)
    latest = BlockRound(
        order=place[ahead],
        suspicion=suspicion[known],
        suggestion=suggestion[known],
        suggestion_probability=probability[known],
        gain=np.full(len(known), np.nan),
        left=left,
        posterior=None,
        shared_deviations=None if found.count is None else found.deviations,
    )
    near = np.where(labelled, found.copy_of, -1)
    outlier = np.zeros(n, dtype=bool)
    beliefs = suspicion, suggestion, probability
    return BlockListed(order, known, *beliefs, near, outlier, latest, first_looks, found, annotators)


@dataclass(frozen=True, eq=False)
class _Now:
    """What is believed after some rows were checked.

    checked (c,) and right (c,): these rows and their classes. copies and same: the other rows with the content of a
    checked one, and its class. shift: what the checked rows show of the beliefs about all others; None without any.
    """

    labels: IntVector
    found: Judgement
    checked: IntVector
    right: IntVector
    copies: IntVector
    same: IntVector
    shift: Shift | None

    @classmethod
    def of(cls, labels: IntVector, found: Judgement, checked: Mapping[int, int]) -> "_Now":
        rows = np.array(sorted(checked), dtype=np.int64)
        right = np.array([checked[row] for row in rows.tolist()], dtype=np.int64)
        copies, same = _copies(found.copy_of, rows, right)
        told = labels[rows] >= 0
        shown, wrong = rows[told], labels[rows[told]] != right[told]
        shift = shown_by(found.suspicion[shown].astype(np.float64), wrong) if len(shown) else None
        return cls(labels, found, rows, right, copies, same, shift)

    def beliefs(self) -> tuple[FloatVector, IntVector, FloatVector]:
        """The suspicion, the suggestion and its probability of every row."""
        labels, suspicion = self.labels, self._suspicion()
        suggestion, probability = self._suggestion(suspicion)
        for rows, right, sure in ((self.copies, self.same, _AS_COPY), (self.checked, self.right, 1.0)):
            suggestion[rows], probability[rows] = right, sure
            suspicion[rows] = np.where(labels[rows] == right, 1 - sure, sure)
        suspicion[labels < 0] = np.nan
        return suspicion, suggestion, probability

    def left(
        self, ahead: IntVector, first_looks: FirstLooks | None, left_out: Collection[int]
    ) -> tuple[Count | None, Annotators | None]:
        """How many labels are wrong among the rows `ahead`, which are open: by the beliefs or, where that tells more,
        by the drawn rows. None where the data cannot tell. And what is believed about the annotators.
        """
        left, annotators = self._believed(ahead)
        if first_looks is None or not len(ahead):
            return left, annotators
        place = np.cumsum(self.labels >= 0) - 1
        told = self.labels[self.checked] >= 0
        rows, bad = self.checked[told], self.labels[self.checked[told]] != self.right[told]
        wrong = dict(zip(place[rows].tolist(), bad.tolist(), strict=True))
        closed = [int(place[row]) for row in left_out if self.labels[row] >= 0]
        suspicion = self.found.suspicion[self.labels >= 0].astype(np.float64)
        return by_drawn(left, first_looks, wrong, closed, suspicion, len(ahead)), annotators

    def _believed(self, ahead: IntVector) -> tuple[Count | None, Annotators | None]:
        """The same by the beliefs alone. Those of copies of checked rows are known, but for a few."""
        recount, count, annotators = self.found.recount, self.found.count, self.found.annotators
        if recount is None or not len(ahead):
            return None, annotators
        if len(ahead) == np.count_nonzero(self.labels >= 0):
            return count, annotators
        of_copies = np.intersect1d(self.copies, ahead)
        others = np.zeros(len(self.labels), dtype=bool)
        others[ahead] = True
        others[of_copies] = False
        told = self.labels[self.checked] >= 0
        suspicion = self.found.suspicion.astype(np.float64)
        later = recount.after(others, suspicion, self.checked[told], self.right[told])
        expected, low, high = later.count
        differs = int(np.count_nonzero(self.labels[of_copies] != self.same[np.searchsorted(self.copies, of_copies)]))
        sure = _AS_COPY * differs + (1 - _AS_COPY) * (len(of_copies) - differs)
        return Count(expected + sure, low + np.floor(sure), high + np.ceil(sure)), later.annotators

    def _suggestion(self, suspicion: FloatVector) -> tuple[IntVector, FloatVector]:
        """The suggestion and its probability by the shifted suspicion, of which other classes keep their shares.

        Where the label was the most probable class, it still is the suggestion: no other class is known by name.
        """
        found = self.found
        before = np.maximum(found.suspicion.astype(np.float64), 1e-12)
        own = (self.labels >= 0) & (found.suggestion == self.labels)
        other = np.where(own, 0.0, found.probability * np.where(self.labels < 0, 1.0, suspicion / before))
        given = (self.labels >= 0) & (other < 1 - suspicion)
        return np.where(given | own, self.labels, found.suggestion), np.where(given | own, 1 - suspicion, other)

    def _suspicion(self) -> FloatVector:
        before = self.found.suspicion.astype(np.float64)
        return before if self.shift is None else self.shift.of(before)


def _copies(copy_of: IntVector, rows: IntVector, right: IntVector) -> tuple[IntVector, IntVector]:
    """The rows with the content of one of `rows` that are not among these, and its class.

    Where rows of one content are of different classes, nothing is known of the others.
    """
    first = np.where(copy_of < 0, np.arange(len(copy_of)), copy_of)
    named = np.unique(np.stack([first[rows], right], axis=1), axis=0)
    content, times = np.unique(named[:, 0], return_counts=True)
    label = np.full(len(copy_of), -1)
    label[named[:, 0]] = named[:, 1]
    label[content[times > 1]] = -1
    copies = np.setdiff1d(np.flatnonzero(label[first] >= 0), rows)
    return copies, label[first][copies]
