import importlib
import sys

import pytest

import cleaning
from cleaning import InvalidInput
from cleaning.discovery import discover, discover_folder, nearest


@pytest.fixture
def package(tmp_path, monkeypatch):
    place = tmp_path / "some_components"
    place.mkdir()
    (place / "__init__.py").write_text("")
    (place / "good.py").write_text('"""A good one.\n\nMore."""\ndef rank():\n    return 1\n')
    (place / "_private.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield place
    for name in [name for name in sys.modules if name.startswith("some_components")]:
        del sys.modules[name]


def find(place):
    return discover(importlib.import_module("some_components"), "ranker", "rank")


def test_public_modules_are_found_with_their_first_line(package):
    registry = find(package)
    assert list(registry) == ["good"]
    assert registry["good"].summary == "A good one."
    assert registry["good"].member() == 1
    assert "good" in registry


def test_a_missing_optional_package_skips_the_module_and_says_which(package):
    (package / "fancy.py").write_text("import surely_not_installed\ndef rank(): ...\n")
    assert find(package).skipped == ("ranker fancy: needs the package surely_not_installed, which is not installed",)


def test_a_module_without_the_member_is_an_error(package):
    (package / "odd.py").write_text("x = 1\n")
    with pytest.raises(InvalidInput, match=r"odd\.py: a ranker needs a public `rank`"):
        find(package)


def test_two_kinds_share_a_package_and_a_module_of_both_or_of_neither_is_an_error(package):
    (package / "oracle.py").write_text("def predict(): ...\n")
    both = importlib.import_module("some_components")
    assert list(discover(both, "ranker", "rank", beside={"predictor": "predict"})) == ["good"]
    assert list(discover(both, "predictor", "predict", beside={"ranker": "rank"})) == ["oracle"]
    (package / "hybrid.py").write_text("def predict(): ...\ndef rank(): ...\n")
    with pytest.raises(InvalidInput, match=r"hybrid\.py: it is both ranker and predictor"):
        discover(both, "ranker", "rank", beside={"predictor": "predict"})
    (package / "hybrid.py").unlink()
    (package / "neither.py").write_text("x = 1\n")
    with pytest.raises(InvalidInput, match="define `predict` to be a predictor or `rank` to be a ranker"):
        discover(both, "predictor", "predict", beside={"ranker": "rank"})


def test_an_unknown_name_is_answered_with_the_nearest(package):
    with pytest.raises(InvalidInput, match="did you mean good"):
        find(package)["goood"]
    assert nearest("zzz", []) == "known: none"


def test_a_users_folder_adds_components_and_cannot_replace_ours(package, tmp_path):
    own = tmp_path / "own"
    assert len(discover_folder(own, "ranker", "rank")) == 0
    own.mkdir()
    (own / "mine.py").write_text("def rank(): ...\n")
    joined = find(package).joined(discover_folder(own, "ranker", "rank"))
    assert list(joined) == ["good", "mine"]
    assert joined["mine"].summary == "(no description)"
    (own / "good.py").write_text("def rank(): ...\n")
    with pytest.raises(InvalidInput, match="the name 'good' is already taken"):
        find(package).joined(discover_folder(own, "ranker", "rank"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1\ny = 1 / 0\n", "broken.py, line 2: .*ZeroDivisionError"), ("def rank(:\n", "broken.py, line 1: .*Syntax")],
)
def test_a_users_broken_file_is_an_error_with_its_line(tmp_path, text, message):
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        discover_folder(tmp_path, "ranker", "rank")


def test_public_names_are_complete():
    assert sorted(cleaning.__all__) == cleaning.__all__
    assert all(hasattr(cleaning, name) for name in cleaning.__all__)
