"""The columns of a row, beside those of the rows near it."""

import pytest

from evaluation.labels.page.columns import columns_of, snippet


def shown(own, suggested=(), given=()):
    return [(one.name, one.value, one.suggested, one.given) for one in columns_of(own, suggested, given)]


@pytest.mark.parametrize(
    ("own", "suggested", "given", "expected"),
    [
        ("-1.4905451738729316", ["-1.07412345"], ["1.24398765", "1.2"], ("-1.49", "-1.07", "1.22")),
        ("1480.0", ["1260.0"], ["562.0"], ("1480", "1260", "562")),
        ("7.8", ["6.8"], ["3.38"], ("7.80", "6.80", "3.38")),
        ("1700000000.25", ["1700000000.5"], ["1700000000.75"], ("1700000000.25", "1700000000.50", "1700000000.75")),
        ("3e-12", ["2.5e-12"], ["1e-12"], ("3e-12", "2.5e-12", "1e-12")),
        ("0.5", ["0.5"], ["0.5"], ("0.5", "0.5", "0.5")),
        ("0.0", ["0.0"], ["0.0"], ("0", "0", "0")),
        ("-0.0001", ["3.25"], ["5.5"], ("0.0", "3.2", "5.5")),
        ("01234", ["01235"], ["90210"], ("01234", "1235", "90210")),
        ("", ["3.25"], ["", "3.5"], ("", "3.25", "3.50")),
        ("red", ["red", "blue", "red"], ["blue"], ("red", "red", "blue")),
        ("1e200", ["2e200", "-1.5e308"], ["1.7e308", "1.6e308"], ("1e+200", "-7.5e+307", "1.65e+308")),
        ("2.123456", ["two"], ["inf"], ("2.123456", "two", "inf")),
    ],
)
def test_values_have_the_digits_that_tell_them_apart(own, suggested, given, expected):
    sides = [[{"a": value} for value in side] for side in (suggested, given)]
    assert shown({"a": own}, *sides) == [("a", *expected)]


def test_columns_come_in_the_order_in_which_they_tell_most():
    own = {"same": "1", "far": "9.5", "word": "x", "near": "2.5"}
    suggested = [{"same": "1", "far": "9", "word": "y", "near": "2"}]
    given = [{"same": "1", "far": "1", "word": "x", "near": "4"}]
    assert [name for name, *_ in shown(own, suggested, given)] == ["far", "near", "same", "word"]
    # without rows of another class, those first that are least like the rows near
    assert [(name, other) for name, _, _, other in shown(own, suggested)][-1] == ("same", None)
    assert shown(own, suggested)[0][:3] in (("far", "9.5", "9.0"), ("near", "2.5", "2.0"), ("word", "x", "y"))
    assert shown(own) == [
        ("same", "1", None, None),
        ("far", "9.5", None, None),
        ("word", "x", None, None),
        ("near", "2.5", None, None),
    ]


def test_many_columns_are_cut_and_a_snippet_has_four():
    wide = {f"c{number}": f"{number}.123456" for number in range(60)}
    assert len(columns_of(wide, [], [])) == 40
    assert len(columns_of(wide, [wide], [wide])) == 12
    assert snippet(wide, []) == "c0 0.1235; c1 1.123; c2 2.123; c3 3.123"
    telling = columns_of({"c7": "7.5", "gone": "1"}, [{"c7": "7"}], [{"c7": "1"}])
    assert snippet(wide, telling) == "c7 7.1"
    assert snippet({}, telling) == ""
