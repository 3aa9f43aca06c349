"""Rankers in processes of their own, as the side that holds the truth sees them.

Each ranker has a new process for each data id and seed, so that it cannot remember what it was told in another. It gets
the paths of the embeddings and rankers, and nothing else of this process; whatever it answers is checked.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from cleaning import FixfirstError, InvalidInput, Ranking, Unsuitable
from cleaning.errors import bounded, printable
from evaluation.harness.apart import apart
from evaluation.harness.rounds.worker import Job, Offer, Question, Reply, answer, offer

_PATIENCE = 5.0
_LONGEST_OFFER = 10_000_000
_LONGEST_TEXT = 1_000

_Message = TypeVar("_Message", Offer, Reply)


class Asked:
    """A ranker that waits to be asked. seconds: how long the last answer took. told: what libraries warned about."""

    def __init__(self, connection: Connection, process: BaseProcess, name: str, rows: int) -> None:
        self.seconds = 0.0
        self.told: dict[str, None] = {}
        self._connection, self._process, self._name, self._rows = connection, process, name, rows

    def rank(self, checked: Mapping[int, int]) -> Ranking:
        """The order of all rows, given the right labels of the checked ones.

        Raises Unsuitable if the ranker cannot work on the data, and FixfirstError if it fails or ends.
        """
        question = Question(rows=tuple(checked), labels=tuple(checked.values()))
        started = time.perf_counter()
        try:
            self._connection.send_bytes(question.model_dump_json().encode())
        except OSError:
            raise _ended(self._process, self._name) from None
        order = self.hear().order
        self.seconds = time.perf_counter() - started
        return Ranking(np.array(order, dtype=np.int64))

    def hear(self) -> Reply:
        """The next message. Raises Unsuitable or FixfirstError if it is a reason why there is none."""
        reply = _heard(self._connection, self._process, self._name, Reply, 1_000_000 + 32 * self._rows)
        self.told |= dict.fromkeys(_shown(line) for line in reply.told)
        if reply.left_out is not None:
            raise Unsuitable(_shown(reply.left_out))
        if reply.failed is not None:
            raise FixfirstError(_shown(reply.failed))
        return reply


@contextmanager
def asked(job: Job, rows: int) -> Iterator[Asked]:
    """The ranker of a job on so many training rows, ready to be asked; its process ends with the block."""
    with _connected(answer, job) as (connection, process):
        found = Asked(connection, process, job.ranker, rows)
        found.hear()
        yield found


def offered(ranker_folder: Path) -> Offer:
    """The rankers that can be asked again. Raises InvalidInput if their files end the process that loads them."""
    with _connected(offer, ranker_folder) as (connection, process):
        return _heard(connection, process, str(ranker_folder), Offer, _LONGEST_OFFER)


@contextmanager
def _connected(target: Callable[..., None], *arguments: Any) -> Iterator[tuple[Connection, BaseProcess]]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    with ours, apart(target, theirs, *arguments) as process:
        theirs.close()
        yield ours, process


def _heard(connection: Connection, process: BaseProcess, name: str, kind: type[_Message], longest: int) -> _Message:
    try:
        content = connection.recv_bytes(longest)
    except (EOFError, OSError):
        raise _ended(process, name) from None
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        problem = "something else than the answer came from its process"
        raise InvalidInput(name, problem, "leave the process to fixfirst, and return what you found") from None


def _ended(process: BaseProcess, name: str) -> InvalidInput:
    process.join(_PATIENCE)
    how = "gave no answer" if process.exitcode is None else f"ended with exit status {process.exitcode}"
    return InvalidInput(name, f"its process {how}", "see what it said last")


def _shown(text: str) -> str:
    return printable(bounded(text, _LONGEST_TEXT))
