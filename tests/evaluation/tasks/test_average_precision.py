from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.tasks.image_retrieval.average_precision import NOWHERE, average_precision, numbered, recall_at


def exact(relevant, n_relevant):
    """AP of one list by its definition, a fraction."""
    hits = [rank for rank, hit in enumerate(relevant, start=1) if hit]
    total = sum((Fraction(place, rank) for place, rank in enumerate(hits, start=1)), Fraction(0))
    return total / n_relevant if n_relevant else Fraction(0)


def matrix(rankings, queries, references, depth):
    number = {name: place for place, name in enumerate(references)}
    ranks = np.full((len(queries), depth), -1, dtype=np.int32)
    for row, query in enumerate(queries):
        names = rankings.get(query, [])[:depth]
        ranks[row, : len(names)] = [number[name] for name in names]
    return ranks


def test_average_precision_and_recall_equal_the_vectors(vectors):
    case = vectors["retrieval"]
    queries, references = tuple(case["query_class"]), tuple(case["ref_class"])
    classes = numbered(tuple(case["query_class"].values()), tuple(case["ref_class"].values()))
    for k in (1, 2, 4, 1000):
        found, first = average_precision(matrix(case["rankings"], queries, references, k), *classes)
        expected = {query: Fraction(value) for query, value in case["AP"][f"k={k}"]["R"]["per_query"].items()}
        assert [Fraction(value).limit_denominator(10_000) for value in found] == [expected[query] for query in queries]
        mean = Fraction(case["AP"][f"k={k}"]["R"]["mean_over_all_queries"])
        assert found.mean() == pytest.approx(float(mean), abs=1e-15)
    for k, value in case["recall_at_K_lifted"].items():
        assert recall_at(first, int(k)) == float(Fraction(value))


lists = st.lists(st.permutations(range(7)).flatmap(lambda p: st.integers(0, 7).map(lambda n: p[:n])), min_size=1)


@given(lists, st.lists(st.sampled_from("abc"), min_size=7, max_size=7), st.data())
def test_it_is_the_sum_of_the_definition(rankings, references, data):
    queries = [data.draw(st.sampled_from("abz")) for _ in rankings]
    ranks = np.array([[*row, *[-1] * (7 - len(row))] for row in rankings], dtype=np.int32)
    found, first = average_precision(ranks, *numbered(queries, references))
    for row, query in enumerate(queries):
        relevant = [references[place] == query for place in rankings[row]]
        assert found[row] == pytest.approx(float(exact(relevant, references.count(query))), abs=1e-15)
        assert first[row] == (relevant.index(True) if any(relevant) else NOWHERE)


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    ranks = np.stack([rng.permutation(40)[:12] for _ in range(30)]).astype(np.int32)
    classes = numbered(rng.integers(0, 4, 30).astype(str).tolist(), rng.integers(0, 4, 40).astype(str).tolist())
    whole = average_precision(ranks, *classes)
    monkeypatch.setattr("evaluation.tasks.image_retrieval.average_precision._BLOCK", 7)
    parts = average_precision(ranks, *classes)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
