"""What the reference predictors of the sister tasks are handed: embeddings and names, never the answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.errors import InvalidInput

"""Told how much is done, how much there is in all, and a note such as the training loss."""

TextBlock = tuple[IntVector, Sequence[str]]
"""Image rows (p,) and the p texts that go with them; a row may stand there several times."""


class TextPairs(Protocol):
    """Image-text pairs that can be gone through again and again, a block at a time."""

    def __iter__(self) -> Iterator[TextBlock]: ...


@dataclass(frozen=True, eq=False)
class ZeroShotTarget:
    """One data set to classify: a name for every class, and the images' embeddings (m, d)."""

    classes: tuple[str, ...]
    images: FloatMatrix

    def __post_init__(self) -> None:
        if not self.classes:
            raise InvalidInput("zero-shot classes", "there are none", "name at least one class")


@dataclass(frozen=True, eq=False)
class ZeroShotProblem:
    """Images (n, d) with texts found beside them, and data sets to classify from the names of their classes alone.

    A predictor returns {data set: classes (m,)}, integers below the number of that data set's classes.
    """

    images: FloatMatrix
    pairs: TextPairs
    targets: Mapping[str, ZeroShotTarget]

    def __post_init__(self) -> None:
        for name, target in self.targets.items():
            _same_width(f"data set {name}", target.images, self.images)


@dataclass(frozen=True, eq=False)
class RetrievalProblem:
    """Queries (q, d) and references (r, d), which lie in ascending order of their ids; `depth` references a query.

    A predictor returns reference rows (q, min(depth, r)), the best first; equal ones in ascending order of row.
    Training images may be absent.
    """

    queries: FloatMatrix
    references: FloatMatrix
    depth: int
    train: Split | None = None

    def __post_init__(self) -> None:
        _same_width("queries", self.queries, self.references)
        if self.depth < 1 or not len(self.references):
            raise InvalidInput(
                "retrieval", f"{self.depth} of {len(self.references)} references", "give and ask for at least one"
            )


@dataclass(frozen=True, eq=False)
class LogoProblem:
    """Labelled training images, the number of classes of the fixed label list, and test images (m, d).

    A predictor returns probabilities (m, n_classes); a class may be without any training image.
    """

    train: Split
    n_classes: int
    test: FloatMatrix

    def __post_init__(self) -> None:
        _same_width("test", self.test, self.train.features)
        if not len(self.train) or int(self.train.labels.max()) >= self.n_classes:
            raise InvalidInput(
                "logo training labels",
                f"{len(self.train)} rows, {self.n_classes} classes",
                "number the classes from 0 below n_classes, and give at least one row",
            )


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Clips as frames (n, frames, d), possibly a memory map, with metadata columns (n, m): width, height, bytes."""

    frames: NDArray[np.floating[Any]]
    metadata: FloatMatrix

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or 0 in self.frames.shape[1:]:
            raise InvalidInput("clips", f"the shape is {self.frames.shape}", "give clips × frames × features")
        if self.metadata.ndim != 2 or len(self.metadata) != len(self.frames):
            raise InvalidInput(
                "clip metadata", f"shape {self.metadata.shape} beside {len(self.frames)} clips", "give one row a clip"
            )

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, eq=False)
class CameraTrapProblem:
    """Training clips with 0/1 labels (n, classes), several of which may hold at once, and test clips.

    A predictor returns one probability a test clip and class, (m, classes); rows need not sum to 1.
    """

    train: ClipSet
    labels: NDArray[np.float32]
    test: ClipSet
    classes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or len(self.labels) != len(self.train) or not len(self.labels):
            raise InvalidInput(
                "clip labels", f"shape {self.labels.shape} beside {len(self.train)} clips", "give one row a clip"
            )
        if not np.isin(self.labels, (0, 1)).all():
            raise InvalidInput(
                "clip labels", "there are values besides 0 and 1", "write 0 for absent and 1 for present"
            )
        if self.test.frames.shape[2] != self.train.frames.shape[2]:
            raise InvalidInput(
                "test clips",
                f"frames are {self.test.frames.shape[2]} wide where the training ones are {self.train.frames.shape[2]}",
                "embed every clip with the same network",
            )


def _same_width(what: str, found: FloatMatrix, expected: FloatMatrix) -> None:
    if found.ndim != 2 or expected.ndim != 2 or found.shape[1] != expected.shape[1]:
        raise InvalidInput(
            what,
            f"embeddings of shape {found.shape} where the others have {expected.shape}",
            "embed every image with the same network",
        )
