"""Zero-shot by text neighbours: a class is represented by the images whose texts are nearest to its name."""

import numpy as np
import scipy.sparse as sp

from baselines.predictors.zero_shot._text import Corpus, read_corpus
from cleaning.data import IntVector, Single
from cleaning.problems import ZeroShotProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import column_means, largest, unit_directions

_BUCKETS = 1 << 18
_BLOCK_ENTRIES = 16_000_000


def predict(
    problem: ZeroShotProblem, *, rng: np.random.Generator, progress: Progress = silent, neighbours: int = 10
) -> dict[str, IntVector]:
    """{data set: classes (m,)}: the class whose neighbours' mean image has the highest centred cosine.

    Neighbours are the training texts with the highest TF-IDF cosine to the name, weighted by that cosine. Ties go to
    the lowest class.
    """
    corpus = read_corpus(problem.pairs, len(problem.images), _BUCKETS)
    mean = column_means(problem.images)
    images = unit_directions(problem.images, mean)
    answers = {}
    for number, (name, target) in enumerate(problem.targets.items()):
        similarity, pairs = _nearest_texts(corpus, corpus.features.transform(target.classes), neighbours)
        looks = np.einsum("ck,ckd->cd", np.maximum(similarity, 0), images[corpus.rows[pairs]])
        scores = unit_directions(target.images, mean) @ unit_directions(looks).T
        answers[name] = np.argmax(scores, axis=1).astype(np.int64)
        progress(number + 1, len(problem.targets), "data sets")
    return answers


def _nearest_texts(corpus: Corpus, names: sp.csr_array, neighbours: int) -> tuple[Single, IntVector]:
    """Similarity and pair number of each name's nearest texts, (classes, neighbours), in blocks of pairs."""
    block = max(neighbours, _BLOCK_ENTRIES // names.shape[0])
    values, pairs = np.empty((names.shape[0], 0), np.float32), np.empty((names.shape[0], 0), np.int64)
    for start in range(0, corpus.texts.shape[0], block):
        part = (names @ corpus.texts[start : start + block].T).toarray()
        best, columns = largest(part, min(neighbours, part.shape[1]))
        values, pairs = np.hstack([values, best]), np.hstack([pairs, columns.astype(np.int64) + start])
        values, kept = largest(values, min(neighbours, values.shape[1]))
        pairs = np.take_along_axis(pairs, kept.astype(np.int64), axis=1)
    return values, pairs
