import re

import pytest

from evaluation.contest.standings import markdown_table

LINKS = ["[a](b)", "![x]", "www.example.org", "@me", "#1"]
TAGS = ["<img src=x>", "&lt;", "a|b", "a\\|b"]
STYLES = ["*b*", "_i_", "`c`", "~~s~~", "$x$"]


@pytest.mark.parametrize("text", [*LINKS, *TAGS, *STYLES])
def test_a_cell_is_nothing_but_text(text):
    line = markdown_table(["", "method"], [["1", text]]).splitlines()[-1]
    assert line != f"| 1 | {text} |"
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line) == f"| 1 | {text} |"  # as CommonMark reads escapes


@pytest.mark.parametrize("text", ["knn_shapley", "0.082 to 0.084", "expected use (ours)", "caf\u00e9-2.1"])
def test_plain_text_stays_as_it_is(text):
    assert markdown_table(["", "method"], [["1", text]]).splitlines()[-1] == f"| 1 | {text} |"
