import importlib
import re
import sys

import pytest

import cleaning
from cleaning import InvalidInput
from cleaning.discovery import discover, discover_entry_points, discover_folder, discover_parts
from cleaning.errors import suggest


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


def test_a_missing_optional_package_skips_the_module_and_is_named(package):
    (package / "fancy.py").write_text("import surely_not_installed\ndef rank(): ...\n")
    assert find(package).skipped == {"fancy": "it needs the package surely_not_installed, which is not installed"}


def test_a_module_without_the_member_is_an_error(package):
    (package / "odd.py").write_text("x = 1\n")
    with pytest.raises(InvalidInput, match=r"odd\.py: a ranker needs a public `rank`"):
        find(package)


def test_two_kinds_share_a_folder_and_a_file_of_both_or_of_neither_is_left_out(tmp_path):
    for name, text in {
        "good": "def rank(): ...\n",
        "oracle": "def predict(): ...\n",
        "hybrid": "def predict(): ...\ndef rank(): ...\n",
        "neither": "x = 1\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    rankers = discover_folder(tmp_path, "ranker", "rank", beside={"predictor": "predict"})
    predictors = discover_folder(tmp_path, "predictor", "predict", beside={"ranker": "rank"})
    assert (list(rankers), list(predictors)) == (["good"], ["oracle"])
    assert "hybrid.py: it is both a predictor and a ranker" in rankers.skipped["hybrid"]
    assert "define `predict` to be a predictor or `rank` to be a ranker" in predictors.skipped["neither"]


def test_packages_inside_a_package_have_parts(package):
    for name, part in (("one", "task"), ("two", "task"), ("three", "other")):
        (package / name).mkdir()
        (package / name / "__init__.py").write_text("")
        (package / name / f"{part}.py").write_text(f'"""The {part} of {name}."""\nTASK = "{name}"\n')
    found = discover_parts(importlib.import_module("some_components"), "task", "task", "TASK")
    assert [(name, component.member, component.summary) for name, component in found.items()] == [
        ("one", "one", "The task of one."),
        ("two", "two", "The task of two."),
    ]
    assert list(find(package)) == ["good"]


def test_entry_points_of_installed_packages_are_found_and_broken_ones_left_out(package, tmp_path):
    place = tmp_path / "other-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    entries = "theirs = some_components.good\nbroken = some_components.nowhere\n"
    (place / "entry_points.txt").write_text(f"[fixfirst.rankers]\n{entries}")
    found = discover_entry_points("fixfirst.rankers", "ranker", "rank")
    assert found["theirs"].member() == 1
    assert found["theirs"].summary == "A good one."
    with pytest.raises(InvalidInput, match=r"ranker 'broken': it cannot be loaded: some_components.nowhere \(Module"):
        found["broken"]
    assert found.warnings() == [f"broken is left out: {found.skipped['broken']}"]


def test_an_unknown_name_gets_a_suggestion(package):
    with pytest.raises(InvalidInput, match="did you mean good"):
        find(package)["goood"]
    assert suggest("zzz", []) == "known: none"


def test_a_users_folder_adds_components_and_cannot_replace_ours(package, tmp_path):
    own = tmp_path / "own"
    assert len(discover_folder(own, "ranker", "rank")) == 0
    own.mkdir()
    (own / "mine.py").write_text("def rank(): ...\n")
    joined = find(package).joined(discover_folder(own, "ranker", "rank"))
    assert list(joined) == ["good", "mine"]
    assert joined["mine"].summary == "in mine.py; the first line of its docstring would be here"
    (own / "mine.py").write_text('def rank():\n    """Sorts by size.\n\n    And more."""\n')
    assert discover_folder(own, "ranker", "rank")["mine"].summary == "Sorts by size."
    (own / "good.py").write_text("def rank(): ...\n")
    with pytest.raises(InvalidInput, match="the name 'good' is already taken"):
        find(package).joined(discover_folder(own, "ranker", "rank"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1\ny = 1 / 0\n", "broken.py, line 2: .*ZeroDivisionError"), ("def rank(:\n", "broken.py, line 1: .*Syntax")],
)
def test_a_users_broken_file_is_skipped_and_an_error_when_requested(tmp_path, text, message):
    (tmp_path / "broken.py").write_text(text)
    found = discover_folder(tmp_path, "ranker", "rank")
    assert list(found) == []
    assert re.search(message, found.skipped["broken"])
    with pytest.raises(InvalidInput, match=f"ranker 'broken': it cannot be loaded: .*{message}"):
        found["broken"]


def test_public_names_are_complete():
    assert sorted(cleaning.__all__) == cleaning.__all__
    assert all(hasattr(cleaning, name) for name in cleaning.__all__)
