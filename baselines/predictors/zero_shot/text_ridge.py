"""Zero-shot by closed-form ridge regression from hashed character n-grams of a text to the image embedding."""

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve

from baselines.predictors.zero_shot._text import Corpus, read_corpus
from cleaning.data import IntVector, Single
from cleaning.problems import ZeroShotProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import column_means, unit_directions

_BUCKETS = 1 << 12
_BLOCK = 50_000


def predict(
    problem: ZeroShotProblem, *, rng: np.random.Generator, progress: Progress = silent, penalty: float = 1.0
) -> dict[str, IntVector]:
    """{data set: classes (m,)}: the class whose predicted image embedding has the highest centred cosine.

    Minimises Σ ‖xᵢ - Wᵀtᵢ‖² + penalty ‖W‖², where tᵢ is the TF-IDF row of a text and xᵢ its image, centred and of
    length 1. Memory: one square matrix of 4,096 columns in addition to the corpus. Ties go to the lowest class.
    """
    corpus = read_corpus(problem.pairs, len(problem.images), _BUCKETS)
    mean = column_means(problem.images)
    weights = _ridge(corpus, unit_directions(problem.images, mean), penalty, progress)
    answers = {}
    for name, target in problem.targets.items():
        looks = unit_directions(corpus.features.transform(target.classes) @ weights)
        answers[name] = np.argmax(unit_directions(target.images, mean) @ looks.T, axis=1).astype(np.int64)
    return answers


def _ridge(corpus: Corpus, images: Single, penalty: float, progress: Progress) -> Single:
    """W (buckets, d); the normal equations are accumulated over blocks of pairs."""
    buckets, pairs = corpus.texts.shape[1], corpus.texts.shape[0]
    gram = np.zeros((buckets, buckets), dtype=np.float32)
    target = np.zeros((buckets, images.shape[1]))
    for start in range(0, pairs, _BLOCK):
        texts = corpus.texts[start : start + _BLOCK]
        gram += sp.csr_array(texts.T @ texts).toarray()
        target += texts.T @ images[corpus.rows[start : start + _BLOCK]]
        progress(min(start + _BLOCK, pairs), pairs, "pairs")
    used = np.flatnonzero(gram.diagonal())
    system = gram[np.ix_(used, used)].astype(np.float64)
    system[np.diag_indices_from(system)] += penalty
    weights = np.zeros((buckets, images.shape[1]), dtype=np.float32)
    weights[used] = cho_solve(cho_factor(system, lower=True, overwrite_a=True), target[used])
    return weights
