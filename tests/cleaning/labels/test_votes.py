"""Votes of annotators, from Python."""

import fixfirst
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import InvalidInput, Place
from cleaning.labels.votes import encode_votes
from tests.support import blobs

NAMES = np.array(["bird", "cat", "dog"])
CLEAN = blobs(90, 1, classes=3, width=4, gap=6.0)
X = CLEAN.features.astype(np.float32)
PEOPLE = ("ann", "bob", "eve")


def crowd(rates=(0.05, 0.2, 0.4), missing=0.2):
    """Votes by name; None for none. Nobody has voted on row 5."""
    rng = np.random.default_rng(0)
    votes = np.empty((90, len(rates)), dtype=object)
    for one, rate in enumerate(rates):
        votes[:, one] = NAMES[np.where(rng.random(90) < rate, rng.integers(0, 3, 90), CLEAN.labels)]
    votes[rng.random(votes.shape) < missing] = None
    votes[5] = None
    return pd.DataFrame(votes, columns=list(PEOPLE[: len(rates)]))


VOTES = crowd()


@pytest.fixture(scope="module")
def found():
    return fixfirst.rank(X, votes=VOTES)


def encoded(*columns, **options):
    names = [f"c{number}" for number in range(len(columns))]
    return encode_votes(columns, names, [Place(column=name) for name in names], **options)


def test_the_given_label_is_what_most_said_and_the_votes_are_counted(found):
    frame = found.frame.set_index("row").sort_index()
    for row, votes in enumerate(VOTES.to_numpy()):
        counts = pd.Series(votes).value_counts()
        given = frame["given_label"][row]
        assert (given is None) == (row == 5 or not len(counts))
        if len(counts):
            assert counts[given] == counts.max() == frame["votes_for"][row]
            assert frame["votes_against"][row] == counts.sum() - counts.max()
    assert found.frame["row"].iloc[-1] == 5
    assert frame["ask_next"][5] is None
    asked = frame["ask_next"].dropna()
    assert len(asked) > 20
    assert all(pd.isna(VOTES[name][row]) for row, name in asked.items())


def test_annotators_are_as_good_as_estimated(found):
    table = found.annotators.set_index("annotator")
    right = [np.mean((VOTES[name] == NAMES[CLEAN.labels])[VOTES[name].notna()]) for name in PEOPLE]
    assert table["quality"].to_numpy() == pytest.approx(right, abs=0.1)
    assert table["votes"].tolist() == VOTES.notna().sum().tolist()
    assert (table["votes"] + table["missing_votes"] == 90).all()
    assert table["bits_per_missing_vote"]["ann"] > table["bits_per_missing_vote"]["eve"] >= 0


def test_the_suggestion_is_better_than_the_majority(found):
    frame = found.frame.set_index("row").sort_index().drop(index=5)
    truth = NAMES[np.delete(CLEAN.labels, 5)]
    assert (frame["suggested_label"] != truth).sum() < 0.5 * (frame["given_label"] != truth).sum()


def test_one_annotator_is_the_plain_case():
    alone = VOTES[["bob"]]
    plain, voted = fixfirst.rank(X, alone["bob"]), fixfirst.rank(X, votes=alone)
    columns = ["row", "given_label", "suggested_label"]
    assert voted.frame[columns].equals(plain.frame[columns])
    assert voted.frame["suspicion"].to_numpy() == pytest.approx(
        plain.frame["suspicion"].to_numpy(), abs=1e-6, nan_ok=True
    )
    assert voted.wrong == pytest.approx(plain.wrong, abs=1e-3)
    assert plain.annotators is None
    assert len(voted.annotators) == 1


@pytest.mark.parametrize(
    "same",
    [
        lambda: fixfirst.rank(X, votes=VOTES.to_numpy()),
        lambda: fixfirst.rank(X, votes=VOTES.to_numpy().tolist()),
        lambda: fixfirst.rank(X, votes=VOTES.apply(lambda one: pd.Categorical(one, NAMES))),
        lambda: fixfirst.rank(pd.DataFrame(X).add_prefix("e").join(VOTES), label=PEOPLE),
        lambda: fixfirst.rank(X, votes=VOTES[["eve", "ann", "bob"]]),
    ],
)
def test_every_way_to_give_the_votes_is_the_same(same, found):
    other = same()
    assert other.frame["row"].tolist() == found.frame["row"].tolist()
    assert other.frame["suspicion"].to_numpy() == pytest.approx(
        found.frame["suspicion"].to_numpy(), abs=1e-6, nan_ok=True
    )


def test_decisions_teach_and_are_applied_beside_the_votes():
    found = fixfirst.rank(X, votes=VOTES)
    first = int(found.frame["row"][0])
    found.decide([first, 5], [NAMES[CLEAN.labels[first]], "cat"])
    labels = found.apply(VOTES)
    assert labels[first] == NAMES[CLEAN.labels[first]]
    assert labels[5] == "cat"
    frame = found.frame.set_index("row").sort_index()
    others = [row for row in range(90) if row not in (first, 5)]
    assert labels[others].tolist() == frame["given_label"][others].tolist()
    assert set(found.frame["row"].tail(2)) == {first, 5}
    assert found.annotators["quality"].between(0, 1).all()
    with pytest.raises(InvalidInput, match="column bob, row 0: these are not the votes that were ranked"):
        found.apply(VOTES.assign(bob=["dog" if VOTES["bob"][0] != "dog" else "cat", *VOTES["bob"][1:]]))
    with pytest.raises(InvalidInput, match="these are not the votes"):
        found.apply(VOTES[["ann", "bob"]])


def test_trusted_rows_have_labels_of_their_own():
    frame = pd.DataFrame(X).add_prefix("e").join(VOTES)
    checked = blobs(60, 2, classes=3, width=4, gap=6.0)
    rows = pd.DataFrame(checked.features.astype(np.float32)).add_prefix("e")
    plain = fixfirst.rank(X, votes=VOTES, trusted=(checked.features.astype(np.float32), NAMES[checked.labels]))
    with pytest.raises(InvalidInput, match="trusted: votes may be wrong"):
        fixfirst.rank(frame, label=PEOPLE, trusted=rows.join(VOTES.head(60)))
    for trusted in (rows, rows.join(VOTES.head(60))):
        found = fixfirst.rank(frame, label=PEOPLE, trusted=(trusted, NAMES[checked.labels]))
        assert found.frame["row"].tolist() == plain.frame["row"].tolist()


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=3, max_size=3), min_size=1, max_size=12).filter(
        lambda rows: all(any(row[one] for row in rows) for one in range(3))
    )
)
def test_majorities_and_ties_are_those_of_a_plain_count(rows):
    votes = encoded(*(list(column) for column in zip(*rows, strict=True)))
    given, ties = votes.given, 0
    total = pd.Series([vote for row in rows for vote in row if vote]).value_counts()
    for row, code in zip(rows, given.codes, strict=True):
        counts = pd.Series([vote for vote in row if vote], dtype=object).value_counts()
        best = [name for name in counts.index if counts[name] == counts.max()]
        ties += len(best) > 1
        assert (code < 0) == (not best)
        if best:
            assert total[given.names[code]] == max(total[name] for name in best)
            assert given.names[code] in best
    assert votes.ties == ties


@pytest.mark.parametrize(
    ("columns", "names", "no_vote"),
    [
        (([0, -1, 1], [1, 0, -1]), "0 1", True),
        ((["0", "-1", "1"], ["1", "0", ""]), "0 1", True),
        ((["cat", "-1", "dog"], ["dog", "cat", "-1"]), "cat dog", True),
        (([0.0, np.nan, 1.0], [1, 0, -1]), "0 1", True),
        (([-2, -1, 1], [1, -1, -2]), "-2 -1 1", False),
        ((["1", "2.0", "2"], ["1.0", "", "2"]), "1 2", False),
        (([True, None, False], [True, True, False]), "False True", False),
    ],
)
def test_minus_one_is_no_vote_unless_there_are_other_negative_numbers(columns, names, no_vote):
    votes = encoded(*columns)
    assert " ".join(votes.names) == names
    assert votes.minus_one == no_vote


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([-1, 1], [1, -1]), "column c0: the votes are -1 and 1; -1 may be a class, or no vote"),
        ((["0", "-1"], ["0.0", "0"]), "column c0: the votes are -1 and 0"),
        (([1, 2], ["a", "b"]), "column c1, row 0: 'a' is text, but 1 in row 0 is a number"),
        (([1, 2], [None, None]), "column c1: there is no vote in it. Fix: leave it out"),
        (([1, 2], [1]), "column c1: 1 vote for 2 rows"),
        (([1, 2], [1, [2]]), "column c1, row 1: there are several labels in a row"),
        (([1, 2], [1, 2.5]), "column c1, row 1: 2.5 looks like a quantity"),
    ],
)
def test_what_is_no_vote_is_one_sentence(columns, message):
    with pytest.raises(InvalidInput) as caught:
        encoded(*columns)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"votes": VOTES, "labels": NAMES[CLEAN.labels]}, "votes: labels are given as well"),
        ({"votes": VOTES.head(80)}, "votes: 80 rows of votes for 90 rows of data"),
        ({"votes": VOTES["ann"].to_numpy()}, "votes: the shape is (90,)"),
        ({"votes": VOTES[[]]}, "votes: there are no columns"),
        ({"votes": VOTES.rename(columns={"bob": "ann"})}, "two annotators are called 'ann'"),
        ({"votes": np.full((90, 2), None)}, "no row has a label"),
        ({"label": ["ann", "bob"]}, "data: it has no columns to name"),
    ],
)
def test_what_cannot_be_votes_is_one_sentence(arguments, message):
    with pytest.raises(InvalidInput) as caught:
        fixfirst.rank(X, **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
