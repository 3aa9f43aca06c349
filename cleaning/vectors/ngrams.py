"""Texts as counts of hashed character n-grams."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer


def character_ngrams(buckets: int, preprocessor: Callable[[str], str] | None = None) -> "HashingVectorizer":
    """Counts character 3- to 5-grams inside words, hashed to so many columns, in float32."""
    from sklearn.feature_extraction.text import HashingVectorizer  # takes a second, which few commands need

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 5),
        n_features=buckets,
        alternate_sign=False,
        norm=None,
        preprocessor=preprocessor,
        dtype=np.float32,
    )
