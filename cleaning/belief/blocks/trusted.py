"""Rows whose labels are known to be right, beside very many rows that are read by blocks."""

from dataclasses import dataclass

import numpy as np

from cleaning.belief.blocks.learners import Known
from cleaning.belief.blocks.scan import digests_of
from cleaning.belief.blocks.stored import Digests, Single
from cleaning.belief.caveats import Unused
from cleaning.belief.copies import copy_groups
from cleaning.data import IntVector, Split
from cleaning.errors import InvalidInput

# Digests of clean rows have another salt, so that their copies among the noisy rows are told by them.
_SALT = 1 << 64


@dataclass(frozen=True, eq=False)
class Trusted:
    """One clean row per group of copies, those that are used; and why others are not."""

    known: Known
    unused: Unused

    @classmethod
    def of(
        cls, trusted: Split | None, width: int, classes: IntVector, digests: Digests, codes: IntVector, seed: int
    ) -> "Trusted":
        """Of rows with labels among the classes (K,). digests (n,), codes (n,) and width: of the noisy rows.

        Raises InvalidInput for rows of another width.
        """
        if trusted is None or not len(trusted):
            none = np.empty(0, dtype=np.int64)
            return cls(_known(np.empty((0, width), dtype=np.float32), none, seed), Unused(0, 0, 0))
        if trusted.features.shape[1] != width:
            found = f"embeddings have {trusted.features.shape[1]} columns, training embeddings have {width}"
            raise InvalidInput("validation", found, "embed every split with the same network")
        rows = trusted.features.astype(np.float32)
        own = np.searchsorted(classes, trusted.labels)
        kept = _independent(digests_of(rows, seed), own, digests[codes >= 0], codes[codes >= 0])
        unused = Unused(len(rows) - len(kept), 0, len(rows))
        if not len(kept):
            return cls(_known(rows[:0], own[:0], seed), unused)
        group = copy_groups(rows[kept])
        votes = np.zeros((group.max() + 1, len(classes)), dtype=np.int32)
        np.add.at(votes, (group, own[kept]), 1)
        one = _known(rows[kept[np.unique(group, return_index=True)[1]]], votes.argmax(axis=1), seed)
        return cls(one.take(np.argsort(one.digests)), unused)

    def without(self) -> "Trusted":
        """None of them, since they mislead."""
        return Trusted(
            self.known.take(np.empty(0, dtype=np.int64)),
            Unused(self.unused.shared, self.unused.every - self.unused.shared, self.unused.every),
        )


def _known(rows: Single, codes: IntVector, seed: int) -> Known:
    return Known(rows, codes, digests_of(rows, seed + _SALT), clean=True)


def _independent(own: Digests, labels: IntVector, digests: Digests, codes: IntVector) -> IntVector:
    """The rows that are evidence of their own, as `independent_rows` finds them: by digests and codes."""
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    start, stop = np.searchsorted(ordered, own, "left"), np.searchsorted(ordered, own, "right")
    shared = stop > start
    same = (label in codes[order[a:b]] for a, b, label in zip(start, stop, labels, strict=True) if b > a)
    return np.flatnonzero(~shared) if all(same) else np.arange(len(own))
