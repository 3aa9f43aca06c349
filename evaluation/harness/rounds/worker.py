"""The side that runs rankers. It never reads the truth: it is told the right labels of the rows that are fixed.

What it says is JSON, because whoever holds the truth must not unpickle what somebody's code has written.
"""

from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cleaning import FixfirstError, NoisyDataset, Ranking, Unsuitable
from cleaning.discovery import Component
from cleaning.errors import sentence
from cleaning.progress import silent
from evaluation.contract import registry
from evaluation.datasets.layout import load_dataset
from evaluation.files.whole import sha256_file
from evaluation.harness.calling import accepts, as_ranking, said_of_order, timed, watched
from evaluation.harness.seeding import generator
from evaluation.submissions.round_logs import Line

CHECKED = "checked"
"""The argument of rankers that can be asked again."""


@dataclass(frozen=True)
class Job:
    """One ranker on one data id."""

    embedding_folder: Path
    ranker_folder: Path
    data_id: str
    ranker: str
    seed: int


class Offered(Line):
    """A ranker that can be asked again. sha256: of its file. origin: its file, if it is not one of ours."""

    name: Annotated[str, Field(pattern=r"^[^/\x00]+$", max_length=100)]
    sha256: str
    origin: str | None


class Offer(Line):
    """All of them, and what cannot be loaded."""

    rankers: tuple[Offered, ...]
    warnings: tuple[str, ...]


class Question(Line):
    """The rows that are fixed, and their right labels."""

    rows: tuple[int, ...]
    labels: tuple[int, ...]


class Reply(Line):
    """The order of all rows and what libraries warned about; or why there is none."""

    order: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = ()
    told: tuple[str, ...] = ()
    left_out: str | None = None
    failed: str | None = None


def offer(connection: Connection, ranker_folder: Path) -> None:
    """Says which rankers can be asked again, and ends."""
    known, own = registry.rankers(ranker_folder), registry.own_rankers()
    found = tuple(
        Offered(name=name, sha256=sha256_file(one.origin), origin=None if name in own else str(one.origin))
        for name, one in known.items()
        if accepts(one, CHECKED)
    )
    _say(connection, Offer(rankers=found, warnings=tuple(known.warnings())))


def answer(connection: Connection, job: Job) -> None:
    """Says that it is ready, then gives an order for every question, until it is ended or has none to give."""
    try:
        ranker = registry.rankers(job.ranker_folder)[job.ranker]
        dataset = load_dataset(job.embedding_folder, job.data_id)
    except FixfirstError as error:
        _say(connection, Reply(failed=sentence(error)))
        return
    reply = Reply()
    while True:
        _say(connection, reply)
        if reply.left_out is not None or reply.failed is not None:
            return
        question = Question.model_validate_json(connection.recv_bytes())
        reply = _reply(job, ranker, dataset, dict(zip(question.rows, question.labels, strict=True)))


def _reply(job: Job, ranker: Component, dataset: NoisyDataset, checked: dict[int, int]) -> Reply:
    """Every question starts from the same random numbers, so a ranker that ignores what was found keeps its order."""
    rng = generator(job.data_id, job.ranker, job.seed)
    more = {CHECKED: checked, **watched(ranker, silent)}
    try:
        found, _, told = timed(
            lambda: ranker.member(dataset.train, dataset.validation, rng=rng, **more), ranker, "ranker"
        )
        ranking: Ranking = as_ranking(found, ranker, len(dataset.train))
    except Unsuitable as reason:
        return Reply(left_out=str(reason))
    except FixfirstError as error:
        return Reply(failed=sentence(error))
    return Reply(order=tuple(ranking.order.tolist()), told=(*told, *said_of_order(found, "ranker")))


def _say(connection: Connection, message: Offer | Reply) -> None:
    connection.send_bytes(message.model_dump_json().encode())
