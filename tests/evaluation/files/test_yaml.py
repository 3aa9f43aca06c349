from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.files.yaml import LocatedYaml


def load(place, text):
    path = place / "p.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return LocatedYaml(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2026-13-45", r"line 2: '2026-13-45' cannot be read as timestamp \(month must be in 1\.\.12"),
        ("a: " + "9" * 5000, r"line 1: '9+… \(5000 characters\)' cannot be read as int"),
        ("a: !!int abc", "line 1: 'abc' cannot be read as int"),
        ("a: !!timestamp x", "line 1: 'x' cannot be read as timestamp. Fix"),
        ("a: !!bool maybe", "line 1: 'maybe' cannot be read as bool. Fix"),
        ("2026-13-45: 1", "line 1: '2026-13-45' cannot be read as timestamp"),
        ("a: 1\n? [b, c]\n: 1", "line 2: a key is a list or a mapping"),
        ("? {b: c}\n: 1", "line 1: a key is a list or a mapping"),
        ("a: {b: 1, b: 2}", "line 1: the key 'b' appears twice"),
        ("a: &x [*x]", "line 1: an alias refers to a value that contains it"),
        ("a: " + "[" * 600, "nested too deeply"),
        ("? " * 600, "nested too deeply"),
        ("- 1", "there are no `key: value` lines"),
        ("a: !!python/object:os.system x", "line 1: this is not YAML"),
        ("a: " + "x" * 1_000_000, "bytes, more than the 1000000"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=rf"p\.yaml.*{message}"):
        load(tmp_path, text)


def test_a_few_aliases_that_stand_for_billions_are_refused_at_once(tmp_path):
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    with pytest.raises(InvalidInput, match=r"line 6: there are more than 100000 values"):
        load(tmp_path, "\n".join(lines))


def test_plain_aliases_and_merged_keys_are_read(tmp_path):
    found = load(tmp_path, "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n")
    assert found.data == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}
    assert found.line(("d", "e")) == 5


def test_the_line_of_a_merged_key_is_that_of_the_value_that_counts(tmp_path):
    found = load(tmp_path, "a: &x\n  b: 1\n  c: 2\nd:\n  <<: *x\n  c: 3\n")
    assert found.data["d"] == {"b": 1, "c": 3}
    assert [found.line(("d", key)) for key in "bc"] == [2, 6]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(":-{}[]&*!?|>'\"% \n#a1", max_size=40))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    with suppress(InvalidInput):
        assert isinstance(load(tmp_path_factory.getbasetemp(), text).data, dict)
