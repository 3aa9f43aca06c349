import re

import pytest

from cleaning.intervals import PairedDifference
from evaluation.contest.standings import Row, as_cells, markdown_table, reversed_warning
from evaluation.contract.metric import Metric

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


def row(method, mean, **more):
    metric = Metric("score", "share of labels fixed", greater_is_better=False)
    known = {"low": 0.2, "high": 0.3, "n_datasets": 3, "n_all": 3, "n_seeds": 1, "seconds": 1.5, "others": {}}
    return Row(task="cleaning", method=method, metric=metric, mean=mean, **{**known, **more})


def test_the_cells_say_what_is_known_and_stay_empty_where_nothing_is():
    gap = PairedDifference(0.1, (0.05, 0.15), 3)
    rows = [
        row("a", 0.25, others={"area": 0.91234}),
        row("b", 0.25, to_best=gap),
        row("c", 0.5, low=None, high=None, seconds=None, to_best=PairedDifference(0.1, None, 1)),
        row("d", 0.1, n_datasets=1),
    ]
    header, cells = as_cells(rows)
    assert header[:5] == ["", "method", "score (lower is better)", "95% interval", "minus the best, paired"]
    assert header[5:] == ["data sets", "seconds", "area"]
    assert cells == [
        ["1", "a", "0.250000", "0.200 to 0.300", "", "3", "1.5", "0.9123"],
        ["1", "b", "0.250000", "0.200 to 0.300", "+0.100 (+0.050 to +0.150)", "3", "1.5", ""],
        ["3", "c", "0.500000", "", "+0.100", "3", "", ""],
        ["", "d", "0.100000", "0.200 to 0.300", "", "1 of 3", "1.5", ""],
    ]


def test_a_method_is_reversed_where_it_is_worse_than_random_order_beyond_the_interval():
    worse, better = PairedDifference(0.1, (0.05, 0.15), 3), PairedDifference(-0.1, (-0.15, -0.05), 3)
    assert row("a", 0.5, to_random=worse).reversed
    assert not row("a", 0.5, to_random=better).reversed
    assert not row("a", 0.5, to_random=PairedDifference(0.1, (-0.05, 0.25), 3)).reversed
    assert not row("a", 0.5).reversed
    assert "a is worse than random order (+0.100 (+0.050 to +0.150))" in reversed_warning(
        row("a", 0.5, to_random=worse)
    )
