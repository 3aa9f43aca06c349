import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import InvalidInput, Place
from cleaning.labels.classes import UNLABELLED, encode_labels, joined, named_codes, natural_order, spelled_alike

PLACE = Place(key="labels")
SIMPLE = st.text(st.characters(codec="ascii", exclude_characters=" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"), max_size=4)


@given(st.lists(st.one_of(SIMPLE, st.none()), min_size=1, max_size=30))
def test_names_and_codes_say_what_was_given(values):
    found = encode_labels(values, PLACE, classes=True)
    assert list(found.names) == natural_order({value for value in values if value})
    for value, code in zip(values, found.codes, strict=True):
        assert code == UNLABELLED if not value else found.names[code] == value
    assert found.values == found.names


@given(st.lists(st.integers(), min_size=1, max_size=30))
def test_whole_numbers_of_any_size_are_classes_in_the_order_of_size(values):
    found = encode_labels(values, PLACE, classes=True)
    assert found.values == tuple(sorted(set(values)))
    assert [found.values[code] for code in found.codes] == values
    floats = [float(value) for value in values if abs(value) < 2**53]
    if floats:
        assert set(encode_labels(floats, PLACE, classes=True).names) == {str(int(value)) for value in floats}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b10", "b9", "a"], ["a", "b9", "b10"]),
        (["10", "9", "-1", "2.5"], ["-1", "2.5", "9", "10"]),
        (["x" + "9" * 5000, "x1"], ["x1", "x" + "9" * 5000]),
        (["img2", "img02", "img1"], ["img1", "img02", "img2"]),
    ],
)
def test_names_are_in_the_order_in_which_people_count(names, expected):
    assert natural_order(names) == expected


def test_classes_of_two_sources_are_matched_by_name():
    train = encode_labels(["1", "2", "2"], PLACE)
    trusted = encode_labels([2.0, 3.0, float("nan")], PLACE)
    assert joined(train, trusted, PLACE) == ("1", "2", "3")
    written = spelled_alike(encode_labels(["1.0", "2.0"], PLACE), train)
    assert written.names == ("1", "2")
    assert spelled_alike(encode_labels(["cat"], PLACE), train).names == ("cat",)
    assert trusted.renumbered(("1", "2", "3")).tolist() == [1, 2, -1]
    with pytest.raises(InvalidInput, match="are not those to rank"):
        joined(train, encode_labels(["cat"], PLACE), PLACE)


def test_numbers_with_known_names_get_them():
    found = named_codes(np.array([1, 0, -1]), ["zebra", "ant"])
    assert found.names == ("ant", "zebra")
    assert found.codes.tolist() == [0, 1, -1]
    assert found.values == (1, 0)


def test_a_few_rows_are_no_quantity():
    assert encode_labels([3, 1, 2], PLACE).names == ("1", "2", "3")
    many = list(range(30))
    with pytest.raises(InvalidInput, match=r"pass classes=True"):
        encode_labels(many, PLACE)
    assert len(encode_labels(many * 3, PLACE).names) == 30
    assert len(encode_labels(many, PLACE, classes=True).names) == 30
    with pytest.raises(InvalidInput, match=r"labels, row 1: 0\.5 looks like a quantity"):
        encode_labels(["1", "0.5"], PLACE)


@pytest.mark.parametrize(
    "name", ["9" * 300_000 + "x", "9" * 300_000, "1e999999999", "-1e-999999999", "9" * 5000 + "e-3"]
)
def test_numbers_of_any_length_are_read_at_once(name):
    def found():
        return encode_labels([name, "2", "2"], Place(), classes=True).names

    assert set(found()) == {name, "2"}
    if name in ("-1e-999999999", "9" * 5000 + "e-3"):
        with pytest.raises(InvalidInput, match="looks like a quantity"):
            encode_labels([name, "2"], Place())
    else:
        encode_labels([name, "2"], Place())
