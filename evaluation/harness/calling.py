"""A call of a ranker or predictor: timed, its errors and warnings one sentence each, its answer checked."""

import inspect
import time
import warnings
from collections.abc import Callable
from typing import Any

from cleaning import FixfirstError, InvalidInput, Ranking
from cleaning.discovery import Component, failing_line
from cleaning.errors import count_of, foreign_warning
from cleaning.parallel.engine import thread_pools
from cleaning.progress import Progress
from cleaning.ranking import said_of_order as of_scores


def accepts(component: Component, name: str) -> bool:
    """Whether a ranker or predictor has an argument of this name."""
    return name in inspect.signature(component.member).parameters


def watched(component: Component, progress: Progress) -> dict[str, Progress]:
    """The argument `progress`, for a ranker that has it."""
    return {"progress": progress} if accepts(component, "progress") else {}


def timed(call: Callable[[], Any], one: Component, kind: str) -> tuple[Any, float, list[str]]:
    """The answer, the seconds it took on one BLAS thread, and what libraries warned about.

    Raises InvalidInput that names the failing line.
    """
    # Imports scikit-learn as well. Importing them is not part of a ranker's time, and their threads are limited too.
    import cleanlab.filter  # noqa: F401

    with thread_pools().limit(limits=1), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        started = time.perf_counter()
        try:
            answer = call()
        except FixfirstError:
            raise
        except Exception as error:
            raise InvalidInput(
                failing_line(error, one.origin),
                f"the {kind} crashed ({type(error).__name__}: {error})",
                f"correct the {kind}",
            ) from error
        seconds = time.perf_counter() - started
    return answer, seconds, list(dict.fromkeys(map(foreign_warning, told)))


def said_of_order(answer: Any, kind: str) -> list[str]:
    """What to say of a ranker's scores that may be the order itself."""
    said = None if kind != "ranker" or isinstance(answer, Ranking) else of_scores(answer)
    return [] if said is None else [said]


def as_ranking(answer: Any, one: Component, rows: int) -> Ranking:
    """What a ranker returned, as a ranking of so many rows. Raises InvalidInput that names the ranker's file."""
    try:
        ranking = answer if isinstance(answer, Ranking) else Ranking.from_scores(answer)
    except InvalidInput as error:
        raise error.within(one.origin) from None
    if len(ranking) != rows:
        problem = f"it ranks {count_of(len(ranking), 'row')}, not {rows}"
        raise InvalidInput(one.origin, problem, "return one score per training row")
    return ranking
