"""What somebody else's program may use of this machine, per task, in the closed division."""

from dataclasses import dataclass

from pydantic import Field

from evaluation.settings.rules import Strict


class LimitSpec(Strict):
    """Limits of one run, as far as they are set; see Allowed."""

    minutes: float | None = Field(default=None, gt=0, le=7 * 24 * 60, allow_inf_nan=False)
    memory_mb: int | None = Field(default=None, ge=64)
    processors: int | None = Field(default=None, ge=1)
    processes: int | None = Field(default=None, ge=4)
    archive_mb: int | None = Field(default=None, ge=1)
    disk_mb: int | None = Field(default=None, ge=1)
    temporary_mb: int | None = Field(default=None, ge=1)
    answer_mb: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class Allowed:
    """Limits of one run, with the values for whatever is not set.

    minutes: of the clock; for a code archive, for both of its scripts together. memory_mb: for all processes together,
    the files in memory included. processors, processes: at the same time. archive_mb: what is handed in. disk_mb: what
    an archive may unpack to and write beside it. temporary_mb: what /tmp may hold. answer_mb: the answer.
    """

    minutes: float = 10.0
    memory_mb: int = 4096
    processors: int = 1
    processes: int = 64
    archive_mb: int = 700
    disk_mb: int = 2048
    temporary_mb: int = 256
    answer_mb: int = 16


def allowed(*specs: LimitSpec) -> Allowed:
    """The limits that some settings amount to; the later one wins."""
    values: dict[str, float] = {}
    for spec in specs:
        values |= spec.model_dump(exclude_none=True)
    return Allowed(**values)  # type: ignore[arg-type]
