"""Thumbnail, colours and histograms of oriented gradients; no learned weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.data import Single
from cleaning.errors import InvalidInput

_SIDE = 64
_CELLS = 4
_ANGLES = 8
_THUMBNAIL = 8
_COLOURS = 4


class Encoder:
    """A vector of 240 numbers in three parts: a centred 8 × 8 grey thumbnail, the mean colours of a 4 × 4 grid, and the
    gradient energy in 8 directions for each cell of a 4 × 4 grid. Each part has length 1, or 0 if it is constant; the
    thumbnail has twice the weight.

    Source of the gradient part: Dalal and Triggs 2005, Histograms of Oriented Gradients for Human Detection.
    """

    identity = "classical/1"

    def __init__(self, model: Path | None = None) -> None:
        if model is not None:
            raise InvalidInput(model, "the encoder `classical` takes no model file", "leave the model out")

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        """(n, 240) float32."""
        return np.stack([_describe(_square(pixels)) for pixels in pictures])


def _square(pixels: NDArray[np.uint8]) -> Single:
    """The image area-averaged to 64 × 64 pixels, whatever its shape, with values from 0 to 1."""
    from PIL import Image

    image = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _describe(image: Single) -> Single:
    grey = image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    thumbnail = _cells(grey[:, :, None], _THUMBNAIL).ravel()
    colours = _cells(image, _COLOURS).ravel()
    parts = [2 * _unit(thumbnail - thumbnail.mean()), _unit(colours), _unit(_gradients(grey))]
    return np.concatenate(parts).astype(np.float32)


def _gradients(grey: Single) -> Single:
    """Gradient magnitudes in 4 × 4 cells and 8 unsigned directions, interpolated between the two nearest directions."""
    down, right = np.gradient(grey)
    place = np.mod(np.arctan2(down, right), np.pi) * (_ANGLES / np.pi)
    low = np.floor(place).astype(np.int64) % _ANGLES
    share = (place - np.floor(place)).astype(np.float32)
    energy = np.hypot(down, right)
    table = np.zeros((_SIDE, _SIDE, _ANGLES), dtype=np.float32)
    np.put_along_axis(table, low[:, :, None], (energy * (1 - share))[:, :, None], axis=2)
    np.put_along_axis(table, ((low + 1) % _ANGLES)[:, :, None], (energy * share)[:, :, None], axis=2)
    return np.sqrt(_cells(table, _CELLS)).ravel()


def _cells(image: Single, count: int) -> Single:
    """The means over a grid of count × count cells, (count, count, channels)."""
    size = _SIDE // count
    return np.asarray(image.reshape(count, size, count, size, -1).mean(axis=(1, 3)))


def _unit(vector: Single) -> Single:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 1e-6 else np.zeros_like(vector)
