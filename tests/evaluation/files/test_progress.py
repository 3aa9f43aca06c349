import io

import pytest

from evaluation.files import progress
from evaluation.files.progress import Reporter, clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.4, "1:01"), (3723, "1:02:03")])
def test_seconds_are_shown_as_on_a_clock(seconds, text):
    assert clock(seconds) == text


def test_plain_lines_carry_an_estimate_and_come_seldom(monkeypatch):
    times = iter([0.0, 3.0, 12.0, 13.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    reporter = Reporter(io.StringIO(), io.StringIO())
    with reporter.track("work", "things") as update:
        for done in (1, 4, 5, 10):
            update(done, 10)
    assert reporter.err.getvalue() == "work: 4/10 things, about 0:18 left\n"


def test_what_an_earlier_run_has_left_does_not_count_as_speed(monkeypatch):
    times = iter([0.0, 1.0, 21.0, 22.0, 50.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    reporter = Reporter(io.StringIO(), io.StringIO())
    with reporter.track("work", "things") as update:
        for done in (5, 7, 8):
            update(done, 10)
    assert reporter.err.getvalue() == "work: 7/10 things, about 0:30 left\n"


def test_a_late_first_sign_of_life_counts_from_the_start(monkeypatch):
    times = iter([0.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    reporter = Reporter(io.StringIO(), io.StringIO())
    with reporter.track("work", "things") as update:
        update(1, 10, "the first")
    assert reporter.err.getvalue() == "work: 1/10 things, about 3:00 left, the first\n"


def test_a_terminal_gets_a_bar():
    reporter = Reporter(io.StringIO(), Terminal())
    with reporter.track("work", "things") as update:
        update(5, 10)
    assert "work" in reporter.err.getvalue()
    assert "things" in reporter.err.getvalue()


def test_results_and_warnings_go_their_own_ways(capsys):
    reporter = Reporter()
    reporter.say("a")
    reporter.warn("b")
    assert capsys.readouterr() == ("a\n", "warning: b\n")
