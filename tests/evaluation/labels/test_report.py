import io
from types import SimpleNamespace

import numpy as np
import pytest

from cleaning import Count
from evaluation.files.progress import Reporter
from evaluation.labels.report import report_count


def said(left, rows, ahead, *, labelled=None, trusted=False):
    """What is said of so many open rows of which these are wrong, and which the next looks should find."""
    found = SimpleNamespace(
        order=np.arange(rows),
        suspicion=np.full(rows, 0.001),
        left=left,
        deviations=(1.0, 2.0),
        forecast=lambda _: ahead,
    )
    listed = SimpleNamespace(round=found, labelled=np.arange(labelled or rows), suspicion=found.suspicion)
    reporter = Reporter(io.StringIO(), io.StringIO())
    report_count(listed, reporter, (), trusted=trusted)
    return reporter.out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("left", "line"),
    [
        (Count(0.1, 0, 0), "hardly any of them is wrong (0 with 90% confidence)"),
        (Count(0.1, 0, 2), "hardly any of them is wrong (0 to 2 with 90% confidence)"),
        (Count(1.2, 0, 2), "about 1 of them is wrong (0 to 2 with 90% confidence)"),
        (Count(12.2, 7, 19), "about 12 of them are wrong (7 to 19 with 90% confidence)"),
        (Count(5, 0, 30), "0 to 30 of them are wrong (90% confidence)"),
    ],
)
def test_a_wide_interval_is_said_without_a_number_in_it(left, line):
    assert said(left, 200, Count(0, 0, 1))[0] == line
    other = line.replace("of them", "of the other 200")
    assert said(left, 200, Count(0, 0, 1), labelled=210)[0] == other


def test_what_is_not_known_without_trusted_rows_is_said():
    assert "only rows that you check can show them" in said(Count(1, 0, 2), 200, Count(0, 0, 1))[1]
    assert "for a better number: --trusted=SOURCE" in said(Count(5, 0, 30), 200, Count(0, 0, 1))[1]
    for left in (Count(1, 0, 2), Count(5, 0, 30)):
        assert said(left, 200, Count(0, 0, 1), trusted=True)[1].startswith("wrong labels to expect: ")


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (200, "0 to 1 in the next 20 looks, 0 to 1 in the next 50 looks, 0 to 1 in the next 100 looks"),
        (50, "0 to 1 in the next 20 looks, 0 to 1 in the next 50 looks"),
        (7, "0 to 1 in the next 7 looks"),
        (1, "0 to 1 in the next look"),
    ],
)
def test_what_the_next_looks_should_find_is_said_for_as_many_as_there_are(rows, line):
    assert f"wrong labels to expect: {line} (90% confidence)" in said(Count(0.5, 0, 1), rows, Count(0.5, 0, 1))
    assert any("expect: 0 in the next" in one for one in said(Count(0.1, 0, 1), rows, Count(0.1, 0, 0)))
