"""Sources so large that they are ranked by blocks."""

import shutil
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.stored import Stored
from cleaning.data import IntMatrix, Split
from cleaning.labels.by_blocks import BlockListed, list_stored
from cleaning.parallel.engine import Engine
from cleaning.progress import Progress
from evaluation.files.whole import make_folder, sha256_bytes
from evaluation.labels.source import Source

# Work of another version is not taken up again.
_VERSION = 5
# Votes are looked at in so many rows at a time.
_BLOCK = 65_536
# Percent; more would be shown as 100.
_NEARLY = 99.4


@dataclass(frozen=True, eq=False)
class Trusted:
    """Rows with labels that are known to be right, and the probabilities of the user's own model, if it has any."""

    rows: Split
    probabilities: NDArray[np.float32] | None

    @classmethod
    def of(cls, source: Source | None) -> "Trusted | None":
        """Those of a source that have a label."""
        if source is None:
            return None
        rows, says = np.flatnonzero(source.labels >= 0), source.probabilities
        ids = tuple(source.ids[row] for row in rows.tolist())
        return cls(Split(source.features[rows], source.labels[rows], ids), None if says is None else says[rows])

    @property
    def content(self) -> bytes:
        """What the ranking depends on."""
        says = b"" if self.probabilities is None else self.probabilities.tobytes()
        return self.rows.features.tobytes() + self.rows.labels.tobytes() + says


def work_folder(review: Path) -> Path:
    """Where a review folder keeps what is finished of a ranking by blocks."""
    return review / "blocks"


def list_source(
    source: Source, trusted: Trusted | None, *, seed: int, work: Path | None, engine: Engine, progress: Progress
) -> BlockListed:
    """The ranking of a source that is `stored`, before any decision.

    work: the folder for finished work; what it has of other data is removed.
    """
    assert source.stored is not None
    folder = None
    if work is not None:
        stored = source.stored
        read = stored.shape, stored.place.key, stored.place.column, stored.scale is not None
        content = repr((_VERSION, seed, sorted(source.files.values()), read)).encode()
        known = b"" if trusted is None else trusted.content
        said = source.labels.tobytes() + (b"" if source.votes is None else _digest(source.votes.codes))
        folder = make_folder(work / sha256_bytes(content + said + known)[:16])
        for other in work.iterdir():
            if other != folder and other.is_dir() and not other.is_symlink():
                shutil.rmtree(other, ignore_errors=True)

    def percent(done: float, total: float, note: str = "", /) -> None:
        progress(100 if done >= total else min(100 * done / total, _NEARLY), 100, note)

    rows, says = (None, None) if trusted is None else (trusted.rows, trusted.probabilities)
    predicted = None if source.predicted is None else Predicted(source.predicted, says)
    codes = None if source.votes is None else source.votes.codes
    votes = None if codes is None else Stored.of(codes) or codes
    return list_stored(
        source.stored, source.labels, rows, predicted, votes, seed=seed, folder=folder, engine=engine, progress=percent
    )


def _digest(votes: IntMatrix) -> bytes:
    """That of votes, which may be more than should be in memory."""
    found = blake2b(repr(votes.shape).encode())
    for start in range(0, len(votes), _BLOCK):
        found.update(votes[start : start + _BLOCK].astype("<i4").tobytes())
    return found.digest()
