"""`fixfirst decisions`: takes in the decisions that somebody made on a static page, or typed into a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from cleaning.errors import InvalidInput, Place, bounded, count_of, suggest
from evaluation.files.progress import Reporter
from evaluation.labels.decisions import Entry, Shown, now, read_entries, reviewer
from evaluation.labels.opened import Review, open_review
from evaluation.labels.typed import Column, is_typed, read_typed
from evaluation.labels.verdicts import Verdicts


def take_in(file: Path, folder: Path, by: str | None, reporter: Reporter, *, new_labels: bool = False) -> None:
    """Appends the decisions in a file to the log of a review, except for those that the log already has.

    by: the reviewer, in place of the name in the file; for a table, the default is the login name. Raises InvalidInput
    with the line, and appends nothing, if a decision is not about a row of the source as it is now, or its label does
    not exist.
    """
    review = open_review(folder, reporter)
    column, found = _typed(file, review, by) if is_typed(file) else (None, _written(file, by))
    for line, entry in found.items():
        _refuse_unfit(review, entry, Place(file, line=line), new_labels=new_labels)
    fitting, _ = review.places.split(found.values())
    given = review.source.given
    wanted = {line: _as_given(entry, given[entry.row]) for line, entry in zip(found, fitting, strict=True)}
    added = review.log.append(lambda: _new(review, wanted, column, file))
    logged = set(map(_same, review.places.split(review.log.entries)[0]))
    idle = [line for line, entry in wanted.items() if entry.verdict == "undo" and _same(entry) not in logged]
    known = len(wanted) - len(added) - len(idle)
    reporter.say(
        f"{review.log.path}: {count_of(len(added), 'decision')} added" + (f", {known} already there" if known else "")
    )
    if idle:
        what = f"an undo takes back what the same person has said about the row, and {wanted[idle[0]].by} has not"
        reporter.warn(f"{file}, line {idle[0]}: {what} ({count_of(len(idle), 'line')} of this kind left out)")
    rows = Verdicts(review.places.split(review.log.entries)[0]).disagreements()
    if rows:
        reporter.say(
            f"{count_of(len(rows), 'row')} on which reviewers disagree: look again with fixfirst review {folder}"
        )


def _written(file: Path, by: str | None) -> dict[int, Entry]:
    """The decisions of a page, by line."""
    found = read_entries(file)
    if not found:
        raise InvalidInput(file, "there are no decisions in it", "download the decisions from the page")
    name = None if by is None else reviewer(by)
    return {line: one if name is None else one.model_copy(update={"by": name}) for line, one in found.items()}


def _typed(file: Path, review: Review, by: str | None) -> tuple[Column, dict[int, Entry]]:
    """The decisions in a table, by line, as one action."""
    name, at, source = reviewer(by), now(), review.source
    given = source.given
    column, typed = read_typed(file, source.ids, given, source.classes)
    if not typed:
        raise InvalidInput(file, "there are no decisions in it", "write the right labels into a column label")
    found = {}
    for one in typed:
        said = {"verdict": one.verdict, "label": one.label, "by": name, "at": at}
        about = {"id": source.ids[one.row], "row": one.row, "hash": source.hashes[one.row]}
        try:
            found[one.line] = Entry.model_validate({**about, **said, "shown": Shown(given=given[one.row])})
        except ValidationError as failure:
            reason = failure.errors(include_url=False)[0]["msg"][:200]
            raise InvalidInput(Place(file, line=one.line), f"this is not a decision ({reason})", "correct it") from None
    return column, found


def _same(entry: Entry) -> tuple[object, ...]:
    """A decision of a page is in the log already if these are the same. Its name may be another now, by --as."""
    return entry.id, entry.verdict, entry.label, entry.at, entry.by if entry.verdict == "undo" else None


def _as_given(entry: Entry, given: str | None) -> Entry:
    """The decision with the label that the row was given, if it says another: the next ranking relies on it."""
    if entry.shown in (Shown(), entry.shown.model_copy(update={"given": given})):
        return entry
    return entry.model_copy(update={"shown": entry.shown.model_copy(update={"given": given})})


def _refuse_unfit(review: Review, entry: Entry, place: Place, *, new_labels: bool) -> None:
    problem = review.places.problem_with(entry)
    if problem is not None:
        raise InvalidInput(place, *problem)
    known = review.source.classes
    if entry.label is not None and entry.label not in known and not new_labels:
        fix = f"pass --new-labels if it is meant ({suggest(entry.label, known)[:300]})"
        raise InvalidInput(place, f"no row has the label {entry.label!r}", fix)


def _new(review: Review, wanted: Mapping[int, Entry], column: Column | None, file: Path) -> list[Entry]:
    """The decisions, by line, that the log does not have, without an undo that takes nothing back."""
    known = review.places.split(review.log.entries)[0]
    if column is not None:
        return _typed_anew(known, wanted, column, file)
    seen, verdicts, new = set(map(_same, known)), Verdicts(known), list[Entry]()
    for entry in wanted.values():
        idle = entry.verdict == "undo" and all(one.by != entry.by for one in verdicts.of(entry.row))
        if _same(entry) not in seen and not idle:
            verdicts.take(entry)
            new.append(entry)
    return new


def _typed_anew(known: Sequence[Entry], wanted: Mapping[int, Entry], column: Column, file: Path) -> list[Entry]:
    """The decisions, by line, that a table adds to the known ones. What was typed has no time of its own.

    A person may change a label, and change it back: what counts is what the person says now. But the column `decision`
    may be that of an old ranking. Raises InvalidInput with the line if it says what no longer stands.
    """
    verdicts, said = Verdicts(known), {(entry.row, entry.opinion) for entry in known}
    new = list[Entry]()
    for line, entry in wanted.items():
        standing = verdicts.standing(entry.row)
        if any(one.by == entry.by and one.opinion == entry.opinion for one in verdicts.of(entry.row)):
            continue
        if column == "decision" and standing is not None and standing.opinion == entry.opinion:
            continue
        if column == "decision" and (entry.row, entry.opinion) in said:
            problem = f"what this says about row {bounded(entry.id)!r} was replaced or taken back since"
            fix = "empty this cell, or say it in a csv with the columns id and label"
            raise InvalidInput(Place(file, line=line), problem, fix)
        new.append(entry)
    return new
