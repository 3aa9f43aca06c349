"""Zero-shot by two linear towers, text and image, trained with the symmetric InfoNCE loss."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from baselines.predictors.zero_shot._text import Corpus, read_corpus
from cleaning.data import IntVector, Single
from cleaning.problems import ZeroShotProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import column_means, unit_directions

_BUCKETS = 1 << 12


@dataclass(frozen=True)
class _Plan:
    """How the towers are trained. temperature divides the cosines."""

    width: int
    epochs: int
    batch: int
    rate: float
    temperature: float


def predict(
    problem: ZeroShotProblem,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
    width: int = 64,
    epochs: int = 10,
    batch: int = 256,
    rate: float = 0.003,
    temperature: float = 0.2,
) -> dict[str, IntVector]:
    """{data set: classes (m,)}: the class whose name the text tower puts nearest to the image.

    Both towers are linear with `width` outputs. Adam minimises the cross-entropy over the batch, from texts to images
    and from images to texts, of cosines divided by `temperature`. Equal texts in a batch share their positives. The
    progress note shows the loss. Source: Radford et al. 2021, Learning Transferable Visual Models From Natural Language
    Supervision, figure 3.
    """
    plan = _Plan(width, epochs, batch, rate, temperature)
    corpus = read_corpus(problem.pairs, len(problem.images), _BUCKETS)
    mean = column_means(problem.images)
    text_tower, image_tower = _trained(corpus, unit_directions(problem.images, mean), plan, rng, progress)
    answers = {}
    for name, target in problem.targets.items():
        names = unit_directions(corpus.features.transform(target.classes) @ text_tower)
        images = unit_directions(unit_directions(target.images, mean) @ image_tower)
        answers[name] = np.argmax(images @ names.T, axis=1).astype(np.int64)
    return answers


def info_nce(texts: Single, images: Single, positive: Single, temperature: float) -> tuple[float, Single, Single]:
    """The symmetric InfoNCE loss of a batch and its gradients with respect to the tower outputs (b, w) each.

    positive (b, b) is non-zero where a text and an image belong together; each row and column has a total weight of 1.
    """
    (text_unit, text_length), (image_unit, image_length) = _normalised(texts), _normalised(images)
    logits = text_unit @ image_unit.T / np.float32(temperature)
    by_text, by_image = _log_softmax(logits), _log_softmax(logits.T)
    text_goal = positive / positive.sum(axis=1, keepdims=True)
    image_goal = positive.T / positive.T.sum(axis=1, keepdims=True)
    count = np.float32(len(texts))
    loss = float(-(text_goal * by_text).sum() - (image_goal * by_image).sum()) / (2 * len(texts))
    slope = (np.exp(by_text) - text_goal + (np.exp(by_image) - image_goal).T) / (2 * count * np.float32(temperature))
    return (
        loss,
        _through_norm(slope @ image_unit, text_unit, text_length),
        _through_norm(slope.T @ text_unit, image_unit, image_length),
    )


@dataclass(eq=False)
class _Adam:
    """Kingma and Ba 2015, algorithm 1, on one matrix in place."""

    weights: Single
    rate: float
    steps: int = 0
    mean: Single = field(init=False)
    square: Single = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.square = np.zeros_like(self.weights), np.zeros_like(self.weights)

    def step(self, gradient: Single) -> None:
        """One update."""
        self.steps += 1
        self.mean += np.float32(0.1) * (gradient - self.mean)
        self.square += np.float32(0.001) * (gradient * gradient - self.square)
        scale = np.float32(self.rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps))
        self.weights -= scale * self.mean / (np.sqrt(self.square) + np.float32(1e-8))


def _trained(
    corpus: Corpus, images: Single, plan: _Plan, rng: np.random.Generator, progress: Progress
) -> tuple[Single, Single]:
    """The text tower (buckets, width) and the image tower (d, width)."""
    used = np.flatnonzero(np.bincount(corpus.texts.indices, minlength=_BUCKETS))
    texts = sp.csr_array(corpus.texts[:, used])
    text, image = (_Adam(_start(rng, inputs, plan.width), plan.rate) for inputs in (len(used), images.shape[1]))
    pairs = texts.shape[0]
    steps = -(-pairs // plan.batch)
    for epoch in range(plan.epochs):
        order = rng.permutation(pairs)
        for number in range(steps):
            chosen = order[number * plan.batch : (number + 1) * plan.batch]
            batch, seen = sp.csr_array(texts[chosen]), images[corpus.rows[chosen]]
            same = _same_texts(batch)
            loss, text_slope, image_slope = info_nce(batch @ text.weights, seen @ image.weights, same, plan.temperature)
            text.step(batch.T @ text_slope)
            image.step(seen.T @ image_slope)
            progress(epoch * steps + number + 1, plan.epochs * steps, f"epoch {epoch + 1}, loss {loss:.3f}")
    tower = np.zeros((_BUCKETS, plan.width), dtype=np.float32)
    tower[used] = text.weights
    return tower, image.weights


def _same_texts(batch: sp.csr_array) -> Single:
    """1 where two texts of the batch have the same features, else 0, (b, b); rows have length 1."""
    alike = (batch @ batch.T).toarray() > 1 - 1e-5
    np.fill_diagonal(alike, True)
    return np.asarray(alike, dtype=np.float32)


def _start(rng: np.random.Generator, inputs: int, width: int) -> Single:
    return np.asarray(rng.standard_normal((inputs, width)) / np.sqrt(inputs), dtype=np.float32)


def _normalised(rows: Single) -> tuple[Single, Single]:
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-8))
    return cast("tuple[Single, Single]", (rows / length, length))


def _through_norm(slope: Single, unit: Single, length: Single) -> Single:
    """The gradient with respect to the rows before they were scaled to length 1."""
    inward: NDArray[np.float32] = (slope - unit * np.einsum("ij,ij->i", slope, unit)[:, None]) / length
    return inward


def _log_softmax(logits: Single) -> Single:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
