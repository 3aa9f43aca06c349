"""results.jsonl in memory: read once, looked things up in, appended to."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.contract.record import Record, append_record, latest, now, read_records

Slot = tuple[str, str, str, int]


class Results:
    """The records of a results file and what was added to it since.

    Raises InvalidInput, when made, for a line that is not a record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, str], Record] = {}
        self._newest: dict[Slot, Record] = {}
        for record in read_records(path):
            self._take(record)

    def answer(self, task: str, fingerprint: str) -> Record | None:
        """The newest record without an error that has this fingerprint."""
        return self._known.get((task, fingerprint))

    def newest(self, slot: Slot) -> Record | None:
        """The newest record of a slot."""
        return self._newest.get(slot)

    def current(self, task: str) -> list[Record]:
        """The newest record of each slot of a task, sorted by slot; withdrawn ones left out."""
        return latest(record for record in self._newest.values() if record.task == task)

    def add(self, record: Record) -> None:
        """Appends one line."""
        append_record(self.path, record)
        self._take(record)

    def renew(self, record: Record) -> None:
        """Makes a known record the newest of its slot again, where it is not."""
        newest = self._newest[record.slot]
        if newest.fingerprint != record.fingerprint or newest.status != "ok":
            self.add(record.model_copy(update={"created": now()}))

    def gone(self, task: str, there: Iterable[Slot]) -> list[Record]:
        """The current records of a task whose slots are not among those that are there."""
        kept = set(there)
        return [record for record in self.current(task) if record.slot not in kept]

    def withdraw(self, record: Record) -> None:
        """Notes that a submission is not there any more, so that tables leave it out."""
        update = {"status": "withdrawn", "error": "the submission is not there any more", "created": now()}
        self.add(record.model_copy(update=update))

    def _take(self, record: Record) -> None:
        self._newest[record.slot] = record
        if record.status == "ok":
            self._known[record.task, record.fingerprint] = record
