"""Votes in a file or in memory, and votes on equal rows, are what `ballots_of` makes of all of them."""

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.belief.ballots import ballots_of, majority
from cleaning.belief.blocks import voted
from cleaning.belief.blocks.block import blocks_of
from cleaning.belief.blocks.contents import Contents
from cleaning.belief.blocks.stored import Stored

CLASSES = np.array([0, 2, 3, 7])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(voted, "_ROWS", 7)


def stored(folder: str, votes: np.ndarray) -> Stored:
    path = Path(folder) / "votes.npy"
    np.save(path, votes.astype(np.int32))
    found = Stored.of(np.load(path, mmap_mode="r"))
    assert found is not None
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 5),
    st.integers(1, 40),
    st.sampled_from([0.1, 0.6, 0.95]),
)
def test_by_blocks_they_are_those_of_all_rows(seed, rows, annotators, contents, missing):
    """Some rows are equal, some have no vote."""
    rng = np.random.default_rng(seed)
    votes = np.where(rng.random((rows, annotators)) < missing, -1, rng.choice(CLASSES, (rows, annotators)))
    votes[0, 0] = 2
    digests = rng.integers(0, contents, rows).astype(np.uint64)
    own = (votes >= 0).any(axis=1)
    codes = np.full(rows, -1)
    codes[own] = np.searchsorted(CLASSES, majority(votes[own]))
    content = np.unique(digests[own], return_inverse=True)[1]
    whole = ballots_of(votes[own], content, CLASSES).toarray()
    expected = np.zeros((rows, annotators * len(CLASSES)))
    expected[own] = whole[content]
    with TemporaryDirectory() as folder:
        for given_votes in (votes, stored(folder, votes)):
            found = Contents.of(codes, digests, given_votes, CLASSES)
            chosen = rng.permutation(rows)[:9]
            np.testing.assert_allclose(found.said(chosen).toarray(), expected[chosen])
            blocks = pickle.loads(pickle.dumps(blocks_of(codes, digests, found.common, 11, found.ballots)))
            parts = [block.ballots.part(part).toarray() for block in blocks for part in block.parts(4)]
            np.testing.assert_allclose(np.concatenate(parts), expected)
            np.testing.assert_allclose(found.drawn[0], whole.sum(axis=0))
            shares = whole.reshape(len(whole), annotators, -1).sum(axis=1)
            shares /= shares.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(found.often, shares.sum(axis=0))
            assert (np.take_along_axis(shares[content], found.common[own][:, None], 1)[:, 0] > 1 / 5.1).all()
            assert voted.named_in(given_votes).tolist() == sorted(set(votes[votes >= 0].tolist()))


def test_a_block_of_votes_in_a_file_holds_none_of_them(tmp_path):
    votes = np.zeros((5000, 10), dtype=np.int64)
    digests = np.arange(5000).astype(np.uint64)
    found = Contents.of(np.zeros(5000, dtype=np.int64), digests, stored(tmp_path, votes), np.arange(2))
    alone, with_votes = (
        len(pickle.dumps(blocks_of(found.common, digests, found.common, 5000, one)[0])) for one in (None, found.ballots)
    )
    assert with_votes - alone < 5000 * 9
