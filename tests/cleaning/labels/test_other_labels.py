import fixfirst
import numpy as np
import pandas as pd
import pytest

from cleaning.errors import Place
from cleaning.labels.classes import encode_labels
from cleaning.labels.columns import column_of
from cleaning.labels.other_labels import OtherLabels, other_labels

RNG = np.random.default_rng(0)
N = 300
NAMES = np.array(["cat", "dog", "owl"])
TRUE = RNG.integers(0, 3, N)
CHURN = RNG.random(N) < 0.3


def flipped(numbers, share, classes=3):
    """The same with a share of them changed to another class."""
    changed = np.random.default_rng(1).random(len(numbers)) < share
    return np.where(changed, (numbers + 1) % classes, numbers)


def found(values, labels, *, name="more", named=False):
    column = column_of(name, values, Place())
    result = other_labels([column], encode_labels(labels, Place(), classes=True), named=named)
    return "sure" if result.sure else "doubtful" if result.doubtful else None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (NAMES[TRUE], "sure"),
        (NAMES[flipped(TRUE, 0.5)], "sure"),
        (np.where(np.arange(N) % 3, NAMES[TRUE], None), "sure"),
        (np.where(np.arange(N) % 40, NAMES[TRUE], "fox"), "sure"),
        (NAMES[RNG.integers(0, 3, N)], None),
        (TRUE, "doubtful"),
        (flipped(TRUE, 0.1), "doubtful"),
        (flipped(TRUE, 0.3), None),
        (np.char.upper(NAMES[TRUE]), "doubtful"),
        (TRUE * 10 + RNG.integers(0, 5, N), "doubtful"),
        (flipped(TRUE, 0.05) * 10 + RNG.integers(0, 5, N), None),
        (np.arange(N), None),
        (TRUE + 0.5, None),
        (np.where(TRUE == 0, "cat", "none"), None),
        (["cat"] * N, None),
        ([None] * N, None),
    ],
)
def test_a_column_that_repeats_the_labels_is_another_label(values, expected):
    assert found(values, NAMES[flipped(TRUE, 0.0)]) == expected


@pytest.mark.parametrize(
    ("values", "labels", "expected"),
    [
        (np.where(flipped(CHURN, 0.4, 2), "Yes", "No"), np.where(CHURN, "Yes", "No"), None),
        (np.where(flipped(CHURN, 0.2, 2), "Yes", "No"), np.where(CHURN, "Yes", "No"), "doubtful"),
        (np.where(CHURN, "Yes", "No"), np.where(CHURN, "Yes", "No"), "sure"),
        (flipped(CHURN, 0.2, 2).astype(int), CHURN.astype(int), None),
        (CHURN.astype(float), CHURN.astype(int), "sure"),
        (flipped(TRUE, 0.3), TRUE, "doubtful"),
        (flipped(TRUE, 0.5), TRUE, None),
    ],
)
def test_features_may_have_numbers_or_yes_and_no_as_labels_do(values, labels, expected):
    assert found(values, labels) == expected


def test_a_column_called_like_labels_is_one_if_it_tells_them():
    assert found(TRUE, NAMES[TRUE], name="y") == "sure"
    assert found(RNG.integers(0, 3, N), NAMES[TRUE], name="y") is None


def test_named_features_are_not_left_out():
    assert found(NAMES[TRUE], NAMES[TRUE], named=True) == "doubtful"
    assert found(NAMES[flipped(TRUE, 0.5)], NAMES[TRUE], named=True) == "doubtful"
    assert found(NAMES[RNG.integers(0, 3, N)], NAMES[TRUE], named=True) is None


def test_the_order_of_the_rows_does_not_matter_in_larger_data():
    true = np.repeat([0, 1, 2], 4_000)
    values = flipped(true, 0.538)  # a kappa just below the limit
    orders = [np.random.default_rng(seed).permutation(len(true)) for seed in range(8)]
    results = {found(NAMES[values[order]], NAMES[true[order]]) for order in orders}
    assert len(results) == 1


def test_few_rows_tell_nothing():
    assert other_labels([column_of("a", NAMES[:3].tolist(), Place())], encode_labels(NAMES, Place()), named=False) == (
        OtherLabels()
    )


@pytest.fixture(scope="module")
def table():
    points = np.eye(3)[TRUE] * 4 + RNG.normal(size=(N, 3))
    return pd.DataFrame(points, columns=list("uvw")).assign(label=NAMES[flipped(TRUE, 0.2)])


def test_from_python_another_label_is_left_out_or_pointed_out(table):
    plain = fixfirst.rank(table, label="label")
    old = table.assign(old=table["label"])
    trusted = pd.DataFrame(np.eye(3) * 4, columns=list("uvw")).assign(label=NAMES, old="x")
    found = fixfirst.rank(old, label="label")
    assert found.frame["row"].equals(plain.frame["row"])
    (caveat,) = [one for one in found.caveats if one.kind == "another label"]
    assert caveat.sentence == "`old` looks like another label, so the rows are not judged by it"
    assert not caveat.hides_count
    assert len(fixfirst.rank(old, label="label", trusted=trusted)) == N
    (caveat,) = [
        one
        for one in fixfirst.rank(table.assign(code=old["label"].str[0]), label="label").caveats
        if one.kind == "another label"
    ]
    assert caveat.sentence.startswith("`code` looks like another label: it agrees with the given labels")
    assert str(caveat) in str(fixfirst.rank(table.assign(code=old["label"].str[0]), label="label"))
    assert all(one.kind != "another label" for one in plain.caveats)
