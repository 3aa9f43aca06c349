import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.files.csv import csv_numbers, csv_rows, numbers, safe_cell
from evaluation.files.names import composed

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)
names = cells.map(str.strip).map(composed).filter(lambda name: name and name == name.strip())


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    header, rows = csv_rows(path, "name")
    return header, list(rows)


@given(st.lists(st.tuples(names, cells), unique_by=lambda row: row[0]), st.sampled_from(["\n", "\r\n"]))
def test_rows_are_those_that_were_written(tmp_path_factory, rows, end):
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("name", "what"), *rows])
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    assert read(path, text.getvalue()) == (["name", "what"], [(name, [cell]) for name, cell in rows])


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path):
    assert read(tmp_path / "f.csv", b"\xef\xbb\xbfname,x\r\n\r\na,1\r\n\n") == (["name", "x"], [("a", ["1"])])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: this is not a header"),
        ("x,name\n", "line 1: this is not a header"),
        ("name,x,x\n", "line 1: two columns are called 'x'"),
        ("name,x\na,1\n\nb\n", "line 4: 1 cell where the header has 2"),
        ("name,x\na,1\nb,2\na,3\n", "line 4: 'a' already appears on line 2"),
        ('name,x\na,"1\nb,1\nc,1', "line 2: this is not csv .a quote that is opened there is never closed"),
        ('name,x\na,"1\n2"\n\nb,1,2\n', "line 5: 3 cells where the header has 2"),
        ("name,x\na,1\n".encode("utf-16-le"), "this is UTF-16 text, or no text at all"),
        ("name,x\na,1\n".encode("utf-16"), "this is UTF-16 text, not UTF-8"),
        ("name,x\n" + "a" * 200_000 + ",1\n", "line 2: this is not csv"),
        (b"name,x\n" + b"a,1\n" * 1 + b"b,\xff\n", "byte 13 is not UTF-8 text"),
        (b"name,x\n" + b"".join(b"%d,1\n" % n for n in range(50_000)) + b"b,\xff\n", "byte 388899 is not UTF-8 text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, content, message):
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path / "f.csv", content)


@given(st.lists(st.floats(allow_nan=False)))
def test_numbers_are_those_that_were_written(values):
    assert numbers([repr(value) for value in values]) == values


@pytest.mark.parametrize("cell", ["0_1", "\u0660", "\uff11", "", "x", "1\u00a0"])
def test_what_is_no_number_elsewhere_is_none_here(cell):
    with pytest.raises(ValueError, match="could not"):
        numbers(["0.5", cell])


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\uff1d1", "\uff20a"])
def test_a_formula_is_shown_and_not_computed(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(f"a{text}") == f"a{text}"
    assert safe_cell("") == ""


CELLS = st.one_of(
    st.sampled_from(["0", "1", "0.25", "-1", "+1", "1e-3", "1E5", ".5", "5.", "nan", "inf", "1e400", "4.9e-324"]),
    st.sampled_from(["", " ", " 0.5", "0.5 ", "0x1", "1_0", "1,5", "NA", "true", "a", "b ", "clip-1", "é", "١"]),
    st.floats(allow_nan=False).map(repr),
)


def slowly(path):
    _, rows = csv_rows(path, "id")
    found = [(name, numbers(cells)) for name, cells in rows]
    return [name for name, _ in found], [row for _, row in found]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    noise=st.sampled_from(["", "", "", "\n", " ", ",", '"', "\0", "é", "\ufeff"]),
    place=st.floats(0, 1),
)
@example(lines=[["a", "0.5", "1"], ["a", "0", "1"]], end="\n", noise="", place=0.0)
@example(lines=[["a", "nan", "inf"], ["b", "-0.0", "1e400"]], end="\r\n", noise="", place=0.0)
@example(lines=[], end="\n", noise=",", place=0.5)
@example(lines=[["a", "0.1", "1"], [" b", "0", "1"]], end="\n", noise="", place=0.0)
def test_numbers_parsed_at_once_are_those_read_line_by_line(tmp_path, lines, end, noise, place):
    text = end.join(map(",".join, [["id", "one", "two"], *lines])) + end
    cut = int(place * len(text))
    path = tmp_path / "numbers.csv"
    path.write_bytes((text[:cut] + noise + text[cut:]).encode())
    try:
        header, _ = csv_rows(path, "id")
    except InvalidInput:  # the header, which is checked first
        return
    found = csv_numbers(path)
    if found is not None:
        names, values = slowly(path)
        assert found[0] == names
        np.testing.assert_array_equal(found[1], np.array(values).reshape(len(names), len(header) - 1))


def test_plain_numbers_are_parsed_at_once(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("id,one,two\nb,0.1,1\na,2e-3,-7\n")
    names, values = csv_numbers(path)
    assert names == ["b", "a"]
    assert values.tolist() == [[0.1, 1.0], [2e-3, -7.0]]
