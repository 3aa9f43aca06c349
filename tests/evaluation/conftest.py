"""The engines of this machine that a probe does not get out of, and a clock that tests set."""

import os
from datetime import timedelta

import pytest

from evaluation.contest import admission
from evaluation.contest import log as submission_log
from evaluation.sandbox.selftest import Checked, checked, engines
from tests.support import START

CONTAINERS = os.environ.get("FIXFIRST_CONTAINERS") == "1"
"""Whether Docker and Podman are tested too; this takes minutes."""


def pytest_generate_tests(metafunc):
    if "engine" in metafunc.fixturenames:
        known = engines() if CONTAINERS else engines()[:1]
        metafunc.parametrize("engine", known, ids=[one.name for one in known], indirect=True, scope="session")


@pytest.fixture(scope="session")
def tested() -> dict[str, Checked]:
    return {}


@pytest.fixture(scope="session")
def engine(request, tested):
    """An engine that holds; skips the test where it is missing."""
    found = tested.setdefault(request.param.name, checked(request.param))
    if found.reason is not None:
        pytest.skip(f"NOT TESTED: the sandbox {request.param.name} cannot be used here: {found.reason}")
    return request.param


@pytest.fixture
def at(monkeypatch):
    """Sets the contest's clock, in minutes after START."""

    def set_clock(minutes):
        for module in (submission_log, admission):
            monkeypatch.setattr(module, "clock", lambda: START + timedelta(minutes=minutes))

    set_clock(0)
    return set_clock
