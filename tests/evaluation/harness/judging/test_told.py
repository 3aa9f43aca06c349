import pytest

from evaluation.harness.judging.told import coarse
from evaluation.sandbox.job import MIB, Outcome
from evaluation.settings.limits import Allowed


@pytest.mark.parametrize(("used", "told"), [(0, 10), (1, 10), (10, 10), (10.1, 20), (100, 100), (130, 100)])
def test_what_was_used_is_told_in_tenths_and_never_as_nothing(used, told):
    allowed = Allowed(minutes=10, memory_mb=100)
    outcome = Outcome("ok", seconds=6 * used, peak_memory=int(used * MIB))
    assert coarse(outcome, allowed) == f"ok (up to {told}% of 600 s, up to {told}% of 100 MB)"
