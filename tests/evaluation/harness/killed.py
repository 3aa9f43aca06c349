"""A submission that is killed on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class _Killed(BaseException):
    pass


def _killed(*_: object, **__: object) -> None:
    raise _Killed


@contextmanager
def killed_at(step: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What runs inside is killed before its `score`, or before a step of the admission."""
    place = "evaluation.harness.settle._score" if step == "score" else f"evaluation.contest.admission.{step}"
    with monkeypatch.context() as patch:
        patch.setattr(place, _killed)
        with pytest.raises(_Killed):
            yield
