"""results.jsonl in memory: each line is read once, then searched."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.contest.log import Slot
from evaluation.contract.record import Record, append_record, latest, now, records_in
from evaluation.files.whole import whole_lines


class Results:
    """The records of a results file; they grow as it is read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, str], Record] = {}
        self._newest: dict[Slot, Record] = {}
        self._failed: set[tuple[str | None, ...]] = set()
        self._read = 0
        self._lines = 0

    def read(self) -> "Results":
        """Reads the lines added since the last call. Skips a half-written last line.

        Raises InvalidInput with the line number for a line that is not a record.
        """
        content = whole_lines(self.path, self._read)
        found = records_in(content, self.path, before=self._lines)
        for record in found:
            self._take(record)
        self._lines += len(found)
        self._read += len(content)
        return self

    def answer(self, task: str, fingerprint: str) -> Record | None:
        """The newest record with this fingerprint and without an error."""
        return self._known.get((task, fingerprint))

    def newest(self, slot: Slot) -> Record | None:
        """The newest record of a slot."""
        return self._newest.get(slot)

    def current(self, task: str) -> list[Record]:
        """The newest record of each slot of a task, sorted by slot, without withdrawn records."""
        return latest(record for record in self._newest.values() if record.task == task)

    def add(self, record: Record) -> None:
        """Appends a record to the file."""
        append_record(self.path, record)
        self.read()

    def add_news(self, record: Record, *, numbered: bool = False) -> None:
        """Appends a record, unless it is a failure that the newest record of the slot already tells.

        numbered: the submission is one of several in its slot; then any record may have told the failure.
        """
        newest = self._newest.get(record.slot)
        told = numbered and _told(record) in self._failed
        if record.status == "ok" or (not told and (newest is None or _told(newest) != _told(record))):
            self.add(record)

    def renew(self, record: Record) -> None:
        """Makes a known record the newest of its slot, if it is not already."""
        newest = self._newest[record.slot]
        if newest.fingerprint != record.fingerprint or newest.status != "ok":
            self.add(record.model_copy(update={"created": now()}))

    def gone(self, task: str, there: Iterable[Slot]) -> list[Record]:
        """The current records of a task whose slots are not in `there`, the slots of the existing submissions."""
        kept = set(there)
        return [record for record in self.current(task) if record.slot not in kept]

    def withdraw(self, record: Record) -> None:
        """Records that a submission no longer exists, so that tables leave it out."""
        update = {"status": "withdrawn", "error": "the submission no longer exists", "created": now()}
        self.add(record.model_copy(update=update))

    def _take(self, record: Record) -> None:
        self._newest[record.slot] = record
        if record.status == "ok":
            self._known[record.task, record.fingerprint] = record
        elif record.status == "failed":
            self._failed.add(_told(record))


def _told(record: Record) -> tuple[str | None, ...]:
    return record.status, record.fingerprint, record.error, record.fault
