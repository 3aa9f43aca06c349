"""Short texts as hashed character n-grams with TF-IDF weights, from a stream of image-text pairs."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cleaning.data import IntVector
from cleaning.errors import InvalidInput
from cleaning.problems import TextPairs
from cleaning.vectors.ngrams import character_ngrams


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """Hashed character 3–5-grams inside words, weighted by log(1 + n / (1 + document count)), in rows of length 1."""

    weights: NDArray[np.float32]

    def transform(self, texts: Sequence[str]) -> sp.csr_array:
        """(len(texts), buckets) float32; a text without letters is a row of zeros."""
        return _weighted(_counts(texts, len(self.weights)), self.weights)


@dataclass(frozen=True, eq=False)
class Corpus:
    """The training pairs as features: row i of `texts` (pairs, buckets) goes with image `rows[i]`."""

    features: TextFeatures
    texts: sp.csr_array
    rows: IntVector


def read_corpus(pairs: TextPairs, n_images: int, buckets: int) -> Corpus:
    """Hashes every pair as it is read; texts are not kept. Takes about 0.4 GB per million queries of a few words.

    Raises InvalidInput if there are no pairs, or if a pair names an image row that does not exist.
    """
    blocks, rows = [], []
    for index, texts in pairs:
        if len(index) and not (int(index.min()) >= 0 and int(index.max()) < n_images):
            raise InvalidInput(
                "image-text pairs", f"rows outside 0 … {n_images - 1}", "give only pairs whose image has an embedding"
            )
        blocks.append(_counts(texts, buckets))
        rows.append(np.asarray(index, dtype=np.int64))
    if not blocks or not sum(block.shape[0] for block in blocks):
        raise InvalidInput("image-text pairs", "there are none", "give at least one image with its text")
    counts = sp.csr_array(sp.vstack(blocks, format="csr"))
    documents = np.bincount(counts.indices, minlength=buckets)
    weights = np.log1p(counts.shape[0] / (1.0 + documents)).astype(np.float32)
    return Corpus(TextFeatures(weights), _weighted(counts, weights), np.concatenate(rows))


def plain(text: str) -> str:
    """The text in Unicode compatibility form (NFKC), case-folded, with е for ё."""
    return unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")


def _counts(texts: Sequence[str], buckets: int) -> sp.csr_array:
    hasher = character_ngrams(buckets, plain)
    return sp.csr_array(hasher.transform(texts)) if len(texts) else sp.csr_array(np.zeros((0, buckets), np.float32))


def _weighted(counts: sp.csr_array, weights: NDArray[np.float32]) -> sp.csr_array:
    values = (1.0 + np.log(counts.data)) * weights[counts.indices]
    lengths = np.sqrt(np.bincount(_rows(counts), weights=values.astype(np.float64) ** 2, minlength=counts.shape[0]))
    values /= np.where(lengths == 0, 1.0, lengths)[_rows(counts)]
    weighted: Any = counts.copy()
    weighted.data = values.astype(np.float32)
    return sp.csr_array(weighted)


def _rows(matrix: sp.csr_array) -> IntVector:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
