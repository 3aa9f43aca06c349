import pytest

from evaluation.harness.judging.told import coarse, exact
from evaluation.sandbox.job import MIB, Outcome
from evaluation.settings.limits import Allowed


@pytest.mark.parametrize(("used", "told"), [(0, 10), (1, 10), (10, 10), (10.1, 20), (100, 100), (130, 100)])
def test_what_was_used_is_told_in_tenths_and_never_as_nothing(used, told):
    allowed = Allowed(minutes=10, memory_mb=100)
    outcome = Outcome("ok", seconds=6 * used, peak_memory=int(used * MIB))
    assert coarse(outcome, allowed) == f"ok (up to {told}% of 600 s, up to {told}% of 100 MB)"


def test_memory_that_nobody_saw_is_not_known_and_a_little_is_not_nothing():
    allowed = Allowed(minutes=10, memory_mb=100)
    assert exact(Outcome("ok", seconds=0.26), allowed) == "ok (0.3 of 600 s, memory not known)"
    assert coarse(Outcome("ok"), allowed) == "ok (up to 10% of 600 s, memory not known)"
    assert exact(Outcome("ok", peak_memory=100), allowed) == "ok (0.0 of 600 s, 1 of 100 MB)"
