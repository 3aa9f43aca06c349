import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from cleaning.errors import Place, suggest
from evaluation.files.names import checked_name, composed, is_hidden, not_hidden

CAFE, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@given(st.text())
def test_two_spellings_of_a_name_are_one_name(text):
    assert composed(unicodedata.normalize("NFD", text)) == composed(unicodedata.normalize("NFC", text))
    assert composed(composed(text)) == composed(text)


@pytest.mark.parametrize("name", ["", " ", "\u00a0", "a ", " a", "a\n", "\u2003a"])
def test_a_name_has_content_and_no_blanks_at_its_ends(name):
    with pytest.raises(InvalidInput, match=r"f\.csv, line 3: "):
        checked_name(Place(Path("f.csv"), line=3), name)
    assert checked_name(Place(), f"x{name}y") == f"x{name}y"


@pytest.mark.parametrize(
    "path", [".DS_Store", "._a.png", ".ipynb_checkpoints/a.png", "__MACOSX/a/b.png", "a/Thumbs.db", "a/desktop.ini"]
)
def test_what_systems_leave_behind_is_hidden(path, tmp_path):
    assert is_hidden(path)
    plain = tmp_path / "a.b" / "__init__.py"
    assert not_hidden([tmp_path / path, plain], tmp_path) == [plain]


@pytest.mark.parametrize(
    ("name", "known", "told"),
    [
        ("cat ", "cat", "did you mean cat (character 4 is U+0020, not missing)"),
        ("c\u0430t", "cat", "did you mean cat (character 2 is U+0430, not U+0061)"),
        ("ca\u200bt", "cat", "did you mean cat (character 3 is U+200B, not U+0074)"),
        ("cta", "cat", "did you mean cat?"),
    ],
)
def test_a_suggestion_shows_what_the_eye_cannot_see(name, known, told):
    assert told in suggest(name, [known])
