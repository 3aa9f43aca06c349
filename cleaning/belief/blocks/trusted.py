"""Rows whose labels are known to be right, beside very many rows that are read by blocks."""

from dataclasses import dataclass, replace

import numpy as np

from cleaning.belief.blocks.learners import Known
from cleaning.belief.blocks.predicted import voice_of
from cleaning.belief.blocks.scan import digests_of
from cleaning.belief.blocks.stored import Digests, Single
from cleaning.belief.caveats import Unused
from cleaning.belief.copies import copy_groups
from cleaning.data import FloatMatrix, IntVector, Split, refuse_other_width

# Digests of clean rows use another salt, so that a clean row is not taken for a copy of a noisy row and may vote for
# it.
_SALT = 1 << 64


@dataclass(frozen=True, eq=False)
class Noisy:
    """What is known of n noisy rows: width, classes (K,), codes (n,), negative for none, and digests (n,) by a seed."""

    width: int
    classes: IntVector
    codes: IntVector
    digests: Digests
    seed: int


@dataclass(frozen=True, eq=False)
class Trusted:
    """One clean row per group of copies, those that are used; and why others are not."""

    known: Known
    unused: Unused

    @classmethod
    def of(cls, trusted: Split | None, noisy: "Noisy", predicted: FloatMatrix | None = None) -> "Trusted":
        """Of rows with labels among the classes. predicted (m, C): by the user's own model, with all its classes.

        Raises InvalidInput for rows of another width.
        """
        seed, width = noisy.seed, noisy.width
        if trusted is None or not len(trusted):
            none = np.empty(0, dtype=np.int64)
            return cls(_known(np.empty((0, width), dtype=np.float32), none, seed), Unused(0, 0, 0))
        refuse_other_width("validation", trusted.features, width)
        rows = trusted.features.astype(np.float32)
        own = np.searchsorted(noisy.classes, trusted.labels)
        kept = _independent(digests_of(rows, seed), own, noisy)
        unused = Unused(len(rows) - len(kept), 0, len(rows))
        if not len(kept):
            return cls(_known(rows[:0], own[:0], seed), unused)
        group = copy_groups(rows[kept])
        groups, first = int(group.max()) + 1, np.unique(group, return_index=True)[1]
        votes = np.zeros((groups, len(noisy.classes)), dtype=np.int32)
        np.add.at(votes, (group, own[kept]), 1)
        one = _known(rows[kept[first]], votes.argmax(axis=1), seed)
        if predicted is not None:
            total = np.zeros((groups, len(noisy.classes)))
            np.add.at(total, group, predicted[kept][:, noisy.classes])
            one = replace(one, voice=voice_of(total))
        return cls(one.take(np.argsort(one.digests)), unused)

    def without(self) -> "Trusted":
        """None of them, since they mislead."""
        return Trusted(
            self.known.take(np.empty(0, dtype=np.int64)),
            Unused(self.unused.shared, self.unused.every - self.unused.shared, self.unused.every),
        )


def _known(rows: Single, codes: IntVector, seed: int) -> Known:
    return Known(rows, codes, digests_of(rows, seed + _SALT), clean=True)


def _independent(own: Digests, labels: IntVector, noisy: "Noisy") -> IntVector:
    """The rows that are evidence of their own, as `independent_rows` finds them: by digests (m,) and labels (m,)."""
    labelled = noisy.codes >= 0
    digests, codes = noisy.digests[labelled], noisy.codes[labelled]
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    start, stop = np.searchsorted(ordered, own, "left"), np.searchsorted(ordered, own, "right")
    shared = stop > start
    same = (label in codes[order[a:b]] for a, b, label in zip(start, stop, labels, strict=True) if b > a)
    return np.flatnonzero(~shared) if all(same) else np.arange(len(own))
