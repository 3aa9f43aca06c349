"""The first pass: whether the numbers can be used, their means, and a digest of the content of each row."""

from hashlib import blake2b

import numpy as np

from cleaning.belief.blocks.stored import Digests, Single, Stored, naming_rows
from cleaning.belief.blocks.work import Total
from cleaning.data import FloatVector, checked_features, refuse_overflow
from cleaning.progress import Progress

_PART = 4096


def scanned(stored: Stored, seed: int, block: tuple[int, int], _: Progress) -> Total:
    """sums: of the columns and of their squares, (d,). rows: the digests.

    Raises InvalidInput for a row with numbers that are not finite, or too large.
    """
    width = stored.shape[1]
    first, second = np.zeros(width), np.zeros(width)
    digests = []
    for start in range(*block, _PART):
        part = stored.block(start, min(start + _PART, block[1]))
        with naming_rows(stored.place, start):
            if not np.isfinite(part).all():  # not even as they are in the file, or too large for float32
                refuse_overflow(checked_features(stored.raw(start, start + len(part))), part.dtype, "features")
            checked_features(part)
        for total, one in zip((first, second), sums_of(part), strict=True):
            total += one
        digests.append(digests_of(part, seed))
    return Total((first, second), (np.concatenate(digests),))


def sums_of(rows: Single) -> tuple[FloatVector, FloatVector]:
    """Of the columns and of their squares, (d,) each."""
    return rows.sum(axis=0, dtype=np.float64), np.einsum("ij,ij->j", rows, rows, dtype=np.float64)


def digests_of(rows: Single, seed: int) -> Digests:
    """64 bits for each row, (m,), the same for equal rows: adding 0 turns -0.0 into 0.0."""
    salt = seed.to_bytes(16, "little")
    content = (blake2b(row, digest_size=8, salt=salt).digest() for row in np.ascontiguousarray(rows + np.float32(0)))
    return np.frombuffer(b"".join(content), dtype="<u8").astype(np.uint64)
