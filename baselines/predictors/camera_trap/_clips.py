"""Pools the frames of clips in blocks, so that clips may exceed memory, and turns metadata into indicator columns."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, Single
from cleaning.errors import InvalidInput, first_three

_BLOCK_ENTRIES = 8_000_000
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

POOLS = ("mean", "max", "min", "std", *(f"q{round(100 * share)}" for share in _QUANTILES))


def mean_pool(frames: NDArray[np.floating[Any]]) -> Single:
    """Mean over the frames, (n, d). Raises InvalidInput for NaN or infinity."""
    pooled = np.empty((len(frames), frames.shape[2]), dtype=np.float32)
    for part, block in _blocks(frames):
        pooled[part] = block.mean(axis=1)
    return pooled


def all_pools(frames: NDArray[np.floating[Any]], bases: Single | None) -> Single:
    """Mean, max, min, deviation and five quantiles over the frames, (n, pools × d), or (n, pools × r) with `bases`.

    bases (pools, d, r) reduce each pool as soon as it is computed, so the wide table never exists.
    """
    width = frames.shape[2] if bases is None else bases.shape[2]
    pooled = np.empty((len(frames), len(POOLS), width), dtype=np.float32)
    for part, block in _blocks(frames):
        parts = _pools(block)
        pooled[part] = parts if bases is None else np.einsum("npd,pdr->npr", parts, bases, optimize=True)
    return pooled.reshape(len(frames), len(POOLS) * width)


def pool_bases(frames: NDArray[np.floating[Any]], width: int, rng: np.random.Generator) -> Single | None:
    """The principal directions of each pool over at most 4,096 clips, (pools, d, width); None if d ≤ width."""
    from sklearn.utils.extmath import randomized_svd

    if frames.shape[2] <= width:
        return None
    chosen = np.sort(rng.permutation(len(frames))[:4096])
    sample = np.concatenate([_pools(np.asarray(frames[row : row + 1], dtype=np.float32)) for row in chosen])
    rank = min(width, len(chosen))
    bases = np.zeros((len(POOLS), frames.shape[2], width), dtype=np.float32)
    for number in range(len(POOLS)):
        table = sample[:, number] - sample[:, number].mean(axis=0)
        _, _, directions = randomized_svd(table, rank, random_state=int(rng.integers(2**31)))
        bases[number, :, : len(directions)] = directions.T
    return bases


def metadata_columns(train: FloatMatrix, test: FloatMatrix, bins: int = 16) -> tuple[Single, Single]:
    """Indicators of the quantile bin of each metadata column, and of pairs of bins of the first two (width × height).

    Returns (n, k) and (m, k); k is 0 if there are no metadata columns. The bins are quantiles of the training rows.
    """
    if train.shape[1] == 0:
        return np.empty((len(train), 0), np.float32), np.empty((len(test), 0), np.float32)
    keys_train, keys_test = [], []
    for column in range(train.shape[1]):
        cuts = np.unique(np.quantile(train[:, column], np.linspace(0, 1, bins + 1)[1:-1]))
        keys_train.append(np.searchsorted(cuts, train[:, column], side="right"))
        keys_test.append(np.searchsorted(cuts, test[:, column], side="right"))
    if len(keys_train) >= 2:
        keys_train.append(keys_train[0] * (bins + 1) + keys_train[1])
        keys_test.append(keys_test[0] * (bins + 1) + keys_test[1])
    columns = [
        (a[:, None] == (levels := np.unique(a)), b[:, None] == levels)
        for a, b in zip(keys_train, keys_test, strict=True)
    ]
    left, right = (np.hstack([pair[side] for pair in columns]).astype(np.float32) for side in (0, 1))
    return left, right


def _pools(block: Single) -> Single:
    """(n, pools, d) from (n, frames, d). A quantile is the value of the frame at or just below it."""
    ordered = np.sort(block, axis=1)
    last = block.shape[1] - 1
    parts = [block.mean(axis=1), ordered[:, last], ordered[:, 0], block.std(axis=1)]
    parts += [ordered[:, int(share * last)] for share in _QUANTILES]
    return np.stack(parts, axis=1)


def _blocks(frames: NDArray[np.floating[Any]]) -> Iterator[tuple[slice, Single]]:
    """The frames in float32, some clips at a time."""
    size = max(1, _BLOCK_ENTRIES // (frames.shape[1] * frames.shape[2]))
    for start in range(0, len(frames), size):
        part = slice(start, min(start + size, len(frames)))
        block = np.asarray(frames[part], dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=(1, 2))) + start
        if len(bad):
            raise InvalidInput(
                f"clip features, row {bad[0]}",
                f"NaN or infinite values (affected clips, {first_three(bad.tolist())})",
                "embed those clips again",
            )
        yield part, block
