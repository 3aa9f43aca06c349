import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.files import json as module
from evaluation.files.json import json_items

NO_LIST = InvalidInput("FILE", "this is no list")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.fixture(params=[1, 3, 1 << 20])
def block(request, monkeypatch):
    """Blocks so small that every token is cut somewhere."""
    monkeypatch.setattr(module, "BLOCK", request.param)
    return request.param


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(json_items(path, NO_LIST))


@settings(max_examples=60)
@given(st.lists(values, max_size=6), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 40))
def test_items_are_those_of_the_standard_library(tmp_path_factory, items, indent, ascii_only, size):
    path = tmp_path_factory.getbasetemp() / "items.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", size)
        assert read(path, json.dumps(items, indent=indent, ensure_ascii=ascii_only)) == items


@pytest.mark.parametrize("text", ["[]", " [ ] \n", "[1]", "[12345]\n", '[[1, ["ä", []]], 2 ]', "[true,null]"])
def test_lists_are_read_whatever_the_block(tmp_path, block, text):
    assert read(tmp_path / "f.json", text) == json.loads(text)
    assert read(tmp_path / "f.json", b"\xef\xbb\xbf" + text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: this is not JSON \(Expecting value\)"),
        ("[", r"line 1: this is not JSON \(Expecting value\)"),
        ("[1,\n2", r"line 2: this is not JSON \(Expecting ',' delimiter\)"),
        ("[1,\n\n]", r"line 3: this is not JSON \(Expecting value\)"),
        ("[1\n2]", r"line 2: this is not JSON \(Expecting ',' delimiter\)"),
        ("[1]\n\n x", r"line 3: this is not JSON \(Extra data\)"),
        ("[1] [2]", r"line 1: this is not JSON \(Extra data\)"),
        ('[\n"abc', r"line 2: this is not JSON \(Unterminated string"),
        ("[1,\n[2,\n nope]]", r"line 3: this is not JSON \(Expecting value\)"),
        ('["a",\n"tab\there"]', r"line 2: this is not JSON \(Invalid control character"),
        ("[NaN]", "NaN is not a finite number"),
        ("[1, [-Infinity]]", "-Infinity is not a finite number"),
        ("[" + "9" * 5000 + "]", "line 1: this is not JSON .*digits"),
        ("{}", "FILE: this is no list"),
        ("what", "FILE: this is no list"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(tmp_path, block, text, message):
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path / "f.json", text)


def test_what_is_nested_too_deeply_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="it is nested too deeply"):
        read(tmp_path / "f.json", "[" * 100_000)


@pytest.mark.parametrize(
    ("content", "byte"), [(b'["a\xff"]', 3), (b'\xef\xbb\xbf["\xe4"]', 5), (b'["\xc3', 2), (b"\xff\xfe[\x00", 0)]
)
def test_what_is_not_utf_8_is_refused_with_its_byte(tmp_path, block, content, byte):
    with pytest.raises(InvalidInput, match=f"byte {byte} is not UTF-8 text"):
        read(tmp_path / "f.json", content)


def test_an_error_early_in_a_large_file_is_found_without_reading_it_all(tmp_path, monkeypatch):
    path = tmp_path / "f.json"
    path.write_text("[1, oops, " + "2, " * 500_000 + "3]")
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(module, "LARGEST_ITEM", 2000)
    with pytest.raises(InvalidInput, match=r"line 1: this is not JSON \(Expecting value\)"):
        list(json_items(path, NO_LIST))


def test_an_item_without_an_end_is_not_gathered_for_ever(tmp_path, monkeypatch):
    path = tmp_path / "f.json"
    path.write_text('["' + "x" * 5000)
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(module, "LARGEST_ITEM", 1000)
    with pytest.raises(InvalidInput, match="one entry of more than 1000 characters"):
        list(json_items(path, NO_LIST))
