"""`fixfirst decisions`: takes in the decisions that somebody made on a static page."""

from pathlib import Path

from cleaning.errors import InvalidInput, Place, suggest
from evaluation.files.progress import Reporter
from evaluation.labels.decisions import Entry, read_entries, reviewer
from evaluation.labels.opened import Review, open_review
from evaluation.labels.verdicts import Verdicts


def take_in(file: Path, folder: Path, by: str | None, reporter: Reporter, *, new_labels: bool = False) -> None:
    """Appends the decisions in a file to the log of a review, except for those that the log already has.

    by: the reviewer, in place of the name in the file. Raises InvalidInput with the line, and appends nothing, if a
    decision is not about a row of the source as it is now, or its label does not exist.
    """
    review = open_review(folder, reporter)
    found = read_entries(file)
    if not found:
        raise InvalidInput(file, "there are no decisions in it", "download the decisions from the page")
    name = None if by is None else reviewer(by)
    for number, entry in enumerate(found, start=1):
        _refuse_unfit(review, entry, Place(file, line=number), new_labels=new_labels)
    wanted = [entry if name is None else entry.model_copy(update={"by": name}) for entry in review.placed(found)]
    added = review.log.append(lambda: _new(review.log.entries, wanted))
    known = len(wanted) - len(added)
    reporter.say(
        f"{review.log.path}: {len(added)} decisions added" + (f", {known} were already there" if known else "")
    )
    rows = Verdicts(review.placed(review.log.entries)).disagreements()
    if rows:
        reporter.say(f"{len(rows)} rows on which reviewers disagree: look at them with fixfirst review {folder}")


def _refuse_unfit(review: Review, entry: Entry, place: Place, *, new_labels: bool) -> None:
    problem = review.problem_with(entry)
    if problem is not None:
        raise InvalidInput(place, *problem)
    known = review.source.classes
    if entry.label is not None and entry.label not in known and not new_labels:
        fix = f"pass --new-labels if it is meant ({suggest(entry.label, known)[:300]})"
        raise InvalidInput(place, f"no row has the label {entry.label!r}", fix)


def _new(known: list[Entry], wanted: list[Entry]) -> list[Entry]:
    seen = {_key(entry) for entry in known}
    return [entry for entry in wanted if _key(entry) not in seen]


def _key(entry: Entry) -> tuple[object, ...]:
    return entry.id, entry.verdict, entry.label, entry.by, entry.at
