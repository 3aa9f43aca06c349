"""results.jsonl: one line per evaluation, failures included. Append-only."""

import json
import math
import platform
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleaning import __version__
from cleaning.errors import InvalidInput, Place
from cleaning.parallel.engine import thread_pools
from evaluation.files.whole import append_line, drop_half_line, read_bytes, sha256_bytes

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class Curve(BaseModel):
    """Accuracy (0 … 1) after each number of fixes, before any fix (dirty) and with only true labels (clean)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fixes: tuple[int, ...]
    accuracy: tuple[_Finite, ...]
    dirty: _Finite
    clean: _Finite


class Board(BaseModel):
    """The scores of a submission on the public or the private part of the ground truth, with the same metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metrics: dict[str, _Finite]
    denominators: dict[str, int]


class Record(BaseModel):
    """One evaluation of one submission.

    status: `ok`, `failed` (with the reason in `error`) or `withdrawn` (the submission no longer exists).
    metrics: on the whole ground truth. boards: on its public and private parts, if it is split.
    division: `closed` if the algorithm itself was handed in and run here, with the sandbox's engine in `engine` and the
    hash of what was handed in as `code_sha256`.
    fault: what caused a failure: the submission, the data it is scored on, or a bug in fixfirst.
    rounds: after how many fixes the ranker was asked again, and told what was found; None for one order made at once.
    seconds: how long the ranking took. curve: for tasks that have one.
    fingerprint: a hash of everything the metrics depend on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    task: str
    task_version: int
    dataset: str
    method: str
    status: Literal["ok", "failed", "withdrawn"]
    metrics: dict[str, _Finite] = Field(default_factory=dict)
    denominators: dict[str, int] = Field(default_factory=dict)
    boards: dict[str, Board] = Field(default_factory=dict)
    curve: Curve | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    seconds: _Finite | None = None
    submission_sha256: str
    dataset_sha256: str
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int
    fingerprint: str
    environment: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    error: str | None = None
    fault: Literal["submission", "data", "fixfirst"] | None = None
    rounds: int | None = None
    division: Literal["open", "closed"] = "open"
    engine: str | None = None
    code_sha256: str | None = None

    @property
    def slot(self) -> tuple[str, str, str, int]:
        """What the record is about. A later record of the same slot replaces it in tables and figures."""
        return self.task, self.dataset, self.method, self.seed


def fingerprint(**parts: object) -> str:
    """A hash of everything a result depends on."""
    return sha256_bytes(json.dumps(parts, sort_keys=True, default=str).encode())


def append_record(path: Path, record: Record) -> None:
    """Appends one line, after removing any half-written last line that a killed run left."""
    drop_half_line(path)
    append_line(path, record.model_dump_json(exclude_defaults=False))


def read_records(path: Path) -> list[Record]:
    """All records in the order written. Skips a half-written last line.

    Raises InvalidInput with the line number for any other line that is not a record.
    """
    return records_in(read_bytes(path), path) if path.exists() else []


def records_in(content: bytes, path: Path, *, before: int = 0) -> list[Record]:
    """The records in a part of the file at `path`, which has `before` lines before it; as `read_records` otherwise."""
    records = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=before + 1):
        try:
            records.append(Record.model_validate_json(line))
        except ValidationError as failure:
            error = failure.errors(include_url=False)[0]
            raise InvalidInput(
                Place(path, line=number, key=".".join(map(str, error["loc"])) or None),
                f"this is not a record of schema version 1 ({error['msg']})",
                "remove the line, or the file, and evaluate again",
            ) from None
    return records


def latest(records: Iterable[Record]) -> list[Record]:
    """The newest record of each task, data set, method and seed, sorted by these, without withdrawn ones."""
    newest = {record.slot: record for record in records}
    return [newest[slot] for slot in sorted(newest) if newest[slot].status != "withdrawn"]


def now() -> str:
    """The current time in UTC, in ISO 8601 format to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment() -> dict[str, str]:
    """Everything outside the data and the settings that can change a result: versions, processor, BLAS and threads.

    blas: each library of linear algebra in use, with its version. core: the type of processor it is tuned to.
    threads: how many threads these libraries and OpenMP may use.
    """
    pools = thread_pools().info()
    blas = [pool for pool in pools if pool["user_api"] == "blas"]
    return _installed() | {
        "blas": _listed(f"{pool['internal_api']} {pool.get('version')}" for pool in blas),
        "core": _listed(str(pool.get("architecture")) for pool in blas),
        "threads": _listed(str(pool["num_threads"]) for pool in pools),
    }


@cache
def _installed() -> dict[str, str]:
    packages = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow")
    found = {"python": platform.python_version(), "machine": platform.machine(), "processor": _processor()}
    return found | {"fixfirst": __version__} | {name: version(name) for name in packages}


def _processor() -> str:
    """The name of the processor, as far as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "none"


def finite(values: dict[str, float]) -> dict[str, float]:
    """The metrics as plain floats. Raises InvalidInput for NaN or infinity, which a record cannot hold."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise InvalidInput(f"metric {name}", f"the value is {value}", "report this as a bug in the task")
    return {name: float(value) for name, value in values.items()}


if __name__ == "__main__":  # pragma: no cover - renews record.schema.json
    import sys

    json.dump(Record.model_json_schema(), sys.stdout, indent=1)
    sys.stdout.write("\n")
