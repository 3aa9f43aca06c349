"""Very many rows in the order to look at them, judged by blocks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleaning.belief.blocks.judge import Judgement, judge_stored
from cleaning.belief.blocks.stored import Stored
from cleaning.belief.count import Count
from cleaning.data import IntVector, Split
from cleaning.labels.ranked import Listed
from cleaning.parallel.engine import SERIAL, Engine
from cleaning.progress import Progress, silent
from cleaning.review import Round

LEFT_OUT = (
    "the data are large and were ranked by blocks: the order is by suspicion, not by expected gain; near copies and "
    "outliers were not looked for; decisions do not change what is believed about the other rows"
)
"""What is not done by blocks, for people."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BlockRound(Round):
    """A round of rows that were judged by blocks; it has no posterior, but the deviations that `forecast` uses."""

    shared_deviations: tuple[float, float]

    @property
    def deviations(self) -> tuple[float, float] | None:
        """The deviations that `forecast` uses, in logits; None where the data cannot tell."""
        return None if self.left is None else self.shared_deviations


@dataclass(frozen=True, eq=False)
class BlockListed(Listed):
    """Rows that were judged by blocks. judgement: before any of them was looked at."""

    judgement: Judgement


def list_stored(
    stored: Stored,
    labels: IntVector,
    trusted: Split | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    engine: Engine = SERIAL,
    progress: Progress = silent,
) -> BlockListed:
    """Rows in a file with labels (n,), negative for none, the most suspicious first. See `judge_stored`."""
    found = judge_stored(stored, labels, trusted, seed=seed, folder=folder, engine=engine, progress=progress)
    return _listed(labels, found, {}, ())


def looked_at(
    listed: BlockListed, labels: IntVector, checked: Mapping[int, int], left_out: Collection[int]
) -> BlockListed:
    """The same after decisions: the decided rows are at the end, those with a label before those without.

    checked: the right class of each row that was looked at. left_out: rows without a decision that teaches.
    """
    return _listed(labels, listed.judgement, checked, left_out)


def _listed(labels: IntVector, found: Judgement, checked: Mapping[int, int], left_out: Collection[int]) -> BlockListed:
    n = len(labels)
    decided, labelled = np.zeros(n, dtype=bool), labels >= 0
    decided[[*checked, *left_out]] = True
    suspicion = found.suspicion.astype(np.float64)
    suggestion, probability = found.suggestion.copy(), found.probability.astype(np.float64)
    rows = np.array(list(checked), dtype=np.int64)
    right = np.array(list(checked.values()), dtype=np.int64)
    wrong = labels[rows] != right
    suspicion[rows] = np.where(labelled[rows], wrong, np.nan)
    suggestion[rows], probability[rows] = right, 1.0
    by_doubt = np.argsort(np.where(labelled, -suspicion, 2 - probability), kind="stable")
    groups = (labelled & ~decided, ~labelled & ~decided, labelled & decided, ~labelled & decided)
    order = np.concatenate([by_doubt[group[by_doubt]] for group in groups])
    known = np.flatnonzero(labelled)
    place = np.full(n, -1)
    place[known] = np.arange(len(known))
    ahead = order[: int(np.count_nonzero(groups[0]))]
    ahead_of_all = float(suspicion[ahead].sum()) / max(float(np.nansum(found.suspicion, dtype=np.float64)), 1e-12)
    left = _left(found.count, len(ahead), ahead_of_all, int(np.count_nonzero(wrong & labelled[rows])))
    now = BlockRound(
        order=place[ahead],
        suspicion=suspicion[known],
        suggestion=suggestion[known],
        suggestion_probability=probability[known],
        gain=np.full(len(known), np.nan),
        left=left,
        posterior=None,
        shared_deviations=found.deviations,
    )
    near = np.where(labelled, found.copy_of, -1)
    return BlockListed(
        order, known, suspicion, suggestion, probability, near, np.zeros(n, dtype=bool), now, None, found
    )


def _left(count: Count | None, rows: int, share: float, found: int) -> Count | None:
    """The count of the rows that are still open, after so many wrong labels were found among the others.

    share: of the suspicion of all rows, that of the open ones.
    """
    if count is None or not rows:
        return None
    expected = share * count.expected
    low, high = max(min(count.low - found, expected), 0.0), max(count.high - found, expected)
    return Count(expected, float(np.floor(low)), float(np.ceil(min(high, float(rows)))))
