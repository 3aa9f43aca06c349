import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import InvalidInput, Place, count_of, first_three, listed, printable, suggest


@given(st.text(st.characters()))
def test_messages_are_one_line_without_control_characters(text):
    messages = [str(InvalidInput(text, text, text)), first_three([text, text]), printable(text)]
    for one in messages:
        assert all(c.isprintable() or (c > " " and c.isspace()) for c in one)
        assert len(one.splitlines()) <= 1
        assert one.encode().decode() == one
        assert printable(one) == one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ä 日本 🎈", "ä 日本 🎈"),
        ("a\u00a0b", "a\u00a0b"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\nwarning: b", r"a\nwarning: b"),
        ("a\u2028b\u202eb", r"a\u2028b\u202eb"),
        ("\ud800 \udcff", r"\ud800 \udcff"),
    ],
)
def test_only_unprintable_characters_are_escaped(text, expected):
    assert printable(text) == expected
    assert str(InvalidInput(text, "odd")) == f"{expected}: odd."


def test_an_error_survives_pickling():
    error = InvalidInput("a\nb", "odd", "mend it")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.place) == (str(error), Place(key="a\nb"))


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (1, "row", "1 row"),
        (0, "row", "0 rows"),
        (2, "class", "2 classes"),
        (3, "fix", "3 fixes"),
        (4, "query", "4 queries"),
    ],
)
def test_a_count_stands_with_its_noun(count, noun, expected):
    assert count_of(count, noun) == expected


def test_of_many_names_the_closest_and_a_few_are_listed():
    names = [f"column {number:03d}" for number in range(199)]
    assert suggest("labl", [*names, "label"]) == (f"did you mean label? known: {', '.join(names[:10])}, … and 190 more")
    assert suggest("x", names[:20]).endswith("column 019")
    assert listed(["a", "", "b" * 200], " or ") == f"a or (no name) or {'b' * 100}… (200 characters)"
    assert listed([]) == "none"
