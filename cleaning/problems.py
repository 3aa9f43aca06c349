"""The inputs of the sister tasks' reference predictors: embeddings and names, never the answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.errors import InvalidInput

TextBlock = tuple[IntVector, Sequence[str]]
"""Image rows (p,) and the p texts that go with them; a row may appear several times."""


class TextPairs(Protocol):
    """Image-text pairs that can be iterated over repeatedly, one block at a time."""

    def __iter__(self) -> Iterator[TextBlock]: ...


@dataclass(frozen=True, eq=False)
class ZeroShotTarget:
    """One data set to classify: the names of its classes and the embeddings (m, d) of its images."""

    classes: tuple[str, ...]
    images: FloatMatrix

    def __post_init__(self) -> None:
        if not self.classes:
            raise InvalidInput("zero-shot classes", "there are none", "name at least one class")


@dataclass(frozen=True, eq=False)
class ZeroShotProblem:
    """Images (n, d) with accompanying texts, and data sets to classify from the names of their classes alone.

    A predictor returns {data set: classes (m,)}; classes are integers from 0, in the order of the data set's class
    names.
    """

    images: FloatMatrix
    pairs: TextPairs
    targets: Mapping[str, ZeroShotTarget]

    def __post_init__(self) -> None:
        for name, target in self.targets.items():
            _same_width(f"data set {name}", target.images, self.images)


@dataclass(frozen=True, eq=False)
class RetrievalProblem:
    """Queries (q, d), and references (r, d) in ascending order of id; `depth` references are wanted per query.

    A predictor returns reference rows (q, min(depth, r)), best first and ties in ascending order of row. `train` is
    None if there are no training images.
    """

    queries: FloatMatrix
    references: FloatMatrix
    depth: int
    train: Split | None = None

    def __post_init__(self) -> None:
        _same_width("queries", self.queries, self.references)
        if self.depth < 1 or not len(self.references):
            raise InvalidInput(
                "retrieval",
                f"asked for the {self.depth} nearest of {len(self.references)} references",
                "give at least one reference, and ask for at least one",
            )


@dataclass(frozen=True, eq=False)
class LogoProblem:
    """Labelled training images, the number of classes of the fixed label list, and test images (m, d).

    A predictor returns probabilities (m, n_classes); a class may have no training images.
    """

    train: Split
    n_classes: int
    test: FloatMatrix

    def __post_init__(self) -> None:
        _same_width("test", self.test, self.train.features)
        if not len(self.train) or int(self.train.labels.max()) >= self.n_classes:
            raise InvalidInput(
                "logo training labels",
                f"no rows, or a label that is too large ({len(self.train)} rows, {self.n_classes} classes)",
                "number the classes from 0 below n_classes, and give at least one row",
            )


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Clips as frames (n, frames, d), possibly a memory map, with metadata columns (n, m): width, height, bytes."""

    frames: NDArray[np.floating[Any]]
    metadata: FloatMatrix

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or 0 in self.frames.shape[1:]:
            raise InvalidInput(
                "clips", f"the shape is {self.frames.shape}", "give an array of clips × frames × features"
            )
        if self.metadata.ndim != 2 or len(self.metadata) != len(self.frames):
            raise InvalidInput(
                "clip metadata",
                f"the shape is {self.metadata.shape} for {len(self.frames)} clips",
                "give one row per clip",
            )

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, eq=False)
class CameraTrapProblem:
    """Training clips with multi-label 0/1 labels (n, classes), and test clips.

    A predictor returns one probability per test clip and class, (m, classes); rows need not sum to 1.
    """

    train: ClipSet
    labels: NDArray[np.float32]
    test: ClipSet
    classes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or len(self.labels) != len(self.train) or not len(self.labels):
            raise InvalidInput(
                "clip labels", f"the shape is {self.labels.shape} for {len(self.train)} clips", "give one row per clip"
            )
        if not np.isin(self.labels, (0, 1)).all():
            raise InvalidInput(
                "clip labels", "there are values other than 0 and 1", "write 0 for absent and 1 for present"
            )
        if self.test.frames.shape[2] != self.train.frames.shape[2]:
            raise InvalidInput(
                "test clips",
                f"frames have {self.test.frames.shape[2]} features, training frames have {self.train.frames.shape[2]}",
                "embed every clip with the same network",
            )


def _same_width(what: str, found: FloatMatrix, expected: FloatMatrix) -> None:
    if found.ndim != 2 or expected.ndim != 2 or found.shape[1] != expected.shape[1]:
        raise InvalidInput(
            what,
            f"the embeddings have shape {found.shape}, the others have {expected.shape}",
            "embed every image with the same network",
        )
