"""DataFrames of other libraries than pandas."""

import fixfirst
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from cleaning.errors import InvalidInput
from tests.support import noisy_blobs

DATASET, _ = noisy_blobs("many", n=60, rate=0.25, classes=3, width=4, gap=6.0)
X, NUMBERS = np.asarray(DATASET.train.features, dtype=np.float32), np.asarray(DATASET.train.labels)
NAMES = np.array(["bird", "cat", "dog"])[NUMBERS]
FRAME = pd.DataFrame(X).add_prefix("e").assign(label=NAMES)


class Stream:
    """What any library's DataFrame has in common."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "ranked",
    [
        lambda: fixfirst.rank(polars.from_pandas(FRAME), label="label"),
        lambda: fixfirst.rank(polars.from_pandas(FRAME).drop("label"), polars.from_pandas(FRAME)["label"]),
        lambda: fixfirst.rank(Stream(pa.Table.from_pandas(FRAME)), label="label"),
        lambda: fixfirst.rank(pa.Table.from_pandas(FRAME), label="label"),
    ],
)
def test_every_library_gives_the_same_ranking(ranked):
    assert ranked().frame.equals(fixfirst.rank(FRAME, label="label").frame)


def test_columns_of_polars_keep_their_types():
    numbers = polars.Series([None if row == 4 else int(one) for row, one in enumerate(NUMBERS)])
    found = fixfirst.rank(X, numbers)
    assert found.classes == (0, 1, 2)
    assert found.frame["row"].iloc[-1] == 4
    assert isinstance(found.decide([4], [2]).apply(numbers), polars.Series)
    vectors = polars.DataFrame({"v": polars.Series(X.tolist(), dtype=polars.Array(polars.Float32, 4))})
    assert len(fixfirst.rank(vectors, NAMES, embeddings="v")) == 60


def test_a_query_that_was_not_run_is_refused():
    with pytest.raises(
        InvalidInput, match=r"data: LazyFrame is a query that was not run yet\. Fix: call \.collect\(\)"
    ):
        fixfirst.rank(polars.from_pandas(FRAME).lazy(), label="label")
