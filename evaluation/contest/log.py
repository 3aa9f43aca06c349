"""submissions.jsonl: every submission ever seen, with its time and verdict. Append-only."""

import fcntl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from cleaning.errors import InvalidInput, Place
from evaluation.contract.record import Record, fingerprint
from evaluation.contract.task import Case
from evaluation.files.whole import append_line, drop_half_line, make_folder, plain_errors, whole_lines

_Finite = Annotated[float, Field(allow_inf_nan=False)]
Slot = tuple[str, str, str, int]


class Entry(BaseModel):
    """One event in the history of a submission.

    team: the team that `submit` named, or the method in the file's name.
    number: counts a team's submissions to a data id from 1. Entries with the same number are about the same submission,
    scored again. None for what `submit` did not accept.
    received: when the submission was first seen. written: when the entry was logged. file: its name as handed in.
    verdict: `accepted` by `submit`, which keeps the answer, `refused` because of the rate limits, `ok` (scored),
    `failed`, or `withdrawn` (the file no longer exists).
    code_sha256: the hash of the algorithm that was handed in, in the closed division; sha256 is the answer's,
    or the algorithm's if it has none.
    basis: identifies the data, settings and task version of the scores. Only scores with the same basis are comparable.
    scores: the metrics of each board.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    task: str
    dataset: str
    team: str
    seed: int
    number: int | None
    received: AwareDatetime
    written: AwareDatetime
    file: str
    sha256: str
    verdict: Literal["accepted", "refused", "ok", "failed", "withdrawn"]
    code_sha256: str | None = None
    reason: str | None = None
    basis: str | None = None
    scores: dict[str, dict[str, _Finite]] = Field(default_factory=dict)

    @property
    def slot(self) -> Slot:
        """What the submission answers. A team's submissions to one slot are numbered in sequence."""
        return self.task, self.dataset, self.team, self.seed


class SubmissionLog:
    """The log at a path. `entries` holds its lines, `slots` the same by slot; both grow as it is read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.slots: dict[Slot, list[Entry]] = {}
        self._read = 0
        self._newest = datetime.min.replace(tzinfo=UTC)

    def read(self) -> "SubmissionLog":
        """Reads the lines added since the last call. Skips a half-written last line.

        Raises InvalidInput with the line number for a line that is not an entry.
        """
        content = whole_lines(self.path, self._read)
        for line in content.split(b"\n")[:-1]:
            self._take(self._parsed(line))
        self._read += len(content)
        return self

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the log for the block, so that nobody else writes to it. All lines have been read when it starts."""
        make_folder(self.path.parent)
        with plain_errors(self.path, "open the file"):
            handle = self.path.open("ab")
        with handle:
            with plain_errors(self.path, "lock the file"):
                fcntl.flock(handle, fcntl.LOCK_EX)
            drop_half_line(self.path)
            self.read()
            yield

    def append(self, *entries: Entry) -> None:
        """Appends a line for each entry, all of them or none. Call it only inside `locked`."""
        if entries:
            append_line(self.path, "\n".join(entry.model_dump_json() for entry in entries))
            self.read()

    def note(self, found: Sequence[tuple[Case, Record]]) -> None:
        """Logs scoring results that are not in the log yet. A file with different content is a new submission.

        Locks the log only if there is something to add.
        """
        self.read()
        if any(self._entry(case, record) for case, record in found):
            with self.locked():
                new = [self._entry(case, record) for case, record in found]
                self.append(*[entry for entry in new if entry is not None])

    def withdraw(self, slots: Sequence[Slot]) -> None:
        """Logs that the files of these slots' last scored submissions no longer exist."""
        if slots:
            with self.locked():
                last = [scored[-1] for scored in map(self._scored, slots) if scored]
                self.append(*[_withdrawn(one, self.now()) for one in last if one.verdict != "withdrawn"])

    def _entry(self, case: Case, record: Record) -> Entry | None:
        """The entry that records a scoring result; None if the log already has it."""
        slot = (record.task, case.dataset, case.method, case.seed)
        verdict: Literal["ok", "failed"] = "ok" if record.status == "ok" else "failed"
        boards = {"all": record.metrics, **{name: board.metrics for name, board in record.boards.items()}}
        now = self.now()
        known = self._known(slot, case)
        entry = Entry(
            task=record.task,
            dataset=case.dataset,
            team=case.method,
            seed=case.seed,
            number=self.next_number(slot) if known is None else known.number,
            received=now if known is None else known.received,
            written=now,
            file=case.path.name if known is None else known.file,
            sha256=case.submission_sha256,
            verdict=verdict,
            code_sha256=record.code_sha256,
            reason=record.error,
            basis=_basis(record),
            scores=boards if verdict == "ok" else {},
        )
        return entry if known is None or _content(known) != _content(entry) else None

    def now(self) -> datetime:
        """The current time, but never before the newest line: setting the clock back must not backdate a submission."""
        return max(clock(), self._newest)

    def next_number(self, slot: Slot) -> int:
        """The number of the slot's next submission."""
        return 1 + max((entry.number or 0 for entry in self.slots.get(slot, ())), default=0)

    def free_number(self, slot: Slot) -> int:
        """A number for a submission to store: no other of the team to the data id, of any task or seed, has it."""
        own = [entry.number or 0 for entry in self.entries if (entry.dataset, entry.team) == slot[1:3]]
        return 1 + max(own, default=0)

    def accepted(self, slot: Slot) -> list[Entry]:
        """The entries with which `submit` accepted a slot's submissions, in the order of their numbers."""
        return [entry for entry in self.slots.get(slot, ()) if entry.verdict == "accepted"]

    def newest(self, slot: Slot, number: int) -> Entry | None:
        """The newest entry about a numbered submission."""
        return next((entry for entry in reversed(self.slots.get(slot, ())) if entry.number == number), None)

    def _known(self, slot: Slot, case: Case) -> Entry | None:
        """The newest entry about the submission of a case: of its number, or the last scored if the file is the same.

        A withdrawn submission whose file is back is the same submission. None if the file is a new submission.
        """
        if case.number is not None:
            return self.newest(slot, case.number)
        scored = self._scored(slot)
        return scored[-1] if scored and scored[-1].sha256 == case.submission_sha256 else None

    def _scored(self, slot: Slot) -> list[Entry]:
        """The entries that `evaluate` wrote for a slot."""
        own = [entry for entry in self.slots.get(slot, ()) if entry.number is not None]
        return [entry for entry in own if entry.verdict in ("ok", "failed", "withdrawn")]

    def _take(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._newest = max(self._newest, entry.written)
        self.slots.setdefault(entry.slot, []).append(entry)

    def _parsed(self, line: bytes) -> Entry:
        try:
            return Entry.model_validate_json(line)
        except ValidationError as failure:
            error = failure.errors(include_url=False)[0]
            raise InvalidInput(
                Place(self.path, line=len(self.entries) + 1, key=".".join(map(str, error["loc"])) or None),
                f"this is not an entry of schema version 1 ({error['msg']})",
                "restore the line, or move the log elsewhere to start a new one",
            ) from None


def clock() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def latest_of_each(entries: Iterable[Entry]) -> list[Entry]:
    """The newest entry of each numbered submission of one slot, ordered by number.

    Leaves out submissions before a withdrawal, unless the withdrawn file itself came back.
    """
    newest: dict[int, Entry] = {}
    withdrawn: dict[int, Entry] = {}
    for entry in entries:
        if entry.number is None:
            continue
        if entry.verdict == "withdrawn":
            newest, withdrawn = {}, newest | {entry.number: entry}
            continue
        if entry.number in withdrawn and withdrawn[entry.number].verdict == "withdrawn":
            newest, withdrawn = withdrawn | newest, {}
        newest[entry.number] = entry
    return [newest[number] for number in sorted(newest)]


def _basis(record: Record) -> str:
    """A hash of what comparable scores of a data id share.

    Leaves out settings whose names end in _sha256, because they are hashes of a submission's own files.
    """
    settings = {name: value for name, value in record.settings.items() if not name.endswith("_sha256")}
    return fingerprint(version=record.task_version, dataset=record.dataset_sha256, settings=settings)


def _withdrawn(entry: Entry, now: datetime) -> Entry:
    """The entry that records that the file of a scored submission no longer exists."""
    update = {"verdict": "withdrawn", "written": now, "scores": {}, "reason": None, "basis": None}
    return entry.model_copy(update=update)


def _content(entry: Entry) -> tuple[object, ...]:
    return entry.verdict, entry.reason, entry.basis, entry.scores
