"""`fixfirst apply`: the corrected data of a review in the form in which they came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from cleaning.errors import InvalidInput, Place, count_of
from cleaning.labels.columns import OLD_LABEL
from evaluation.embedding.embed import picture_names
from evaluation.files.csv import csv_text
from evaluation.files.outputs import refuse_output
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors, write_text
from evaluation.labels.apply.arrays import add_to_npz, write_array, write_labels, write_npz
from evaluation.labels.apply.arrow_table import LabelColumn, write_arrow_table
from evaluation.labels.apply.class_folders import copy_file, link_file, targets, write_files
from evaluation.labels.apply.corrections import Corrections, column_for_new
from evaluation.labels.apply.plan import CHANGES, Planned, plan
from evaluation.labels.apply.text_table import write_text_table
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.roles import label_and_id
from evaluation.labels.forms.tables import SUFFIXES, delimiter_of, open_table
from evaluation.labels.opened import Review, open_review
from evaluation.labels.placing import said_of_lost
from evaluation.labels.review_folder import read_by
from evaluation.labels.source import KNOWN_SUFFIXES, Source
from evaluation.labels.typed import refuse_typed
from evaluation.labels.verdicts import Rule

_FOLDERS = ("class folders", "folder with a table")


@dataclass(frozen=True)
class Job:
    """What to write where. link: hard links instead of copies of pictures."""

    review: Path
    output: Path
    link: bool = False
    new_labels: bool = False
    resolve: Rule | None = None


def apply(job: Job, reporter: Reporter) -> None:
    """Writes the corrected data and, beside them, the log of the changes.

    Raises InvalidInput for whatever makes the result doubtful (see `plan`), and for an output that is, contains or is
    inside something that the review reads.
    """
    review = open_review(job.review, reporter)
    refuse_typed(job.review, review.log.entries)
    planned = plan(review, new_labels=job.new_labels, resolve=job.resolve)
    if planned.lost:
        reporter.warn(said_of_lost(planned.lost))
    inputs = read_by(job.review, review.description)
    output = _output(job, review, inputs)
    is_file = output.suffix.lower() in (*SUFFIXES, ".npz", ".npy")
    log = output.parent / f"{output.stem if is_file else output.name}_changes.csv"
    _refuse_log(log, inputs)
    _writer(review, job, planned.corrections)(output)
    write_text(log, planned.log())
    reporter.say(_summary(planned))
    if review.source.form == "class folders":
        others = len(set(picture_names(review.source.path)) - set(review.source.ids))
        if others:
            reporter.say(f"left out, since not ranked: {count_of(others, 'file')}")
    reporter.say(f"{output}: the corrected data")
    reporter.say(f"{log}: every change")


def _summary(planned: Planned) -> str:
    dropped, changed = len(planned.corrections.dropped), len(planned.corrections.changed)
    told = f"{count_of(changed, 'label')} changed, {count_of(dropped, 'row')} dropped"
    return f"{count_of(planned.looked, 'row')} looked at: {told}"


def _refuse_log(log: Path, inputs: list[Path]) -> None:
    """Raises InvalidInput if the list of changes would replace something that is not an earlier one."""
    try:
        refuse_output(log, [".csv"], inputs)
    except InvalidInput as error:
        problem = f"the list of changes cannot be written here: {error.problem}"
        raise InvalidInput(log, problem, "choose another --output") from error
    if log.exists():
        with plain_errors(log, "read the file"), log.open("rb") as file:
            first = file.readline(1000)
        if first.decode(errors="replace").strip() != ",".join(CHANGES):
            problem = "the list of changes would replace this file, which is not an earlier one"
            raise InvalidInput(log, problem, "rename it, or choose another --output")


def _output(job: Job, review: Review, inputs: list[Path]) -> Path:
    """Where the data go: a folder for data in several files, a file of the same format for data in one."""
    source = review.source
    named = _named(review, "labels")
    output, suffix = Path(job.output), job.output.suffix.lower()
    model = source.path if named is None else Path(named)
    if _is_folder(review) and not _is_table(review, output):
        if suffix in KNOWN_SUFFIXES and not output.is_dir():
            fix = f"name a folder, for example {output.with_suffix('')}"
            raise InvalidInput(output, "the data are several files, so the output must be a folder", fix)
        _refuse_overlap(output, inputs)
        return output
    if job.link:
        raise InvalidInput("--link", "it is for data in several files, and one file is written", "leave it out")
    if output.is_dir() or not suffix:
        output = output / model.name
    if output.suffix != model.suffix:
        fix = f"end the name in {model.suffix}, or name a folder"
        raise InvalidInput(output, f"the corrected data are written in the form they came in, {model.suffix}", fix)
    refuse_output(output, [model.suffix], inputs)
    return output


def _is_table(review: Review, output: Path) -> bool:
    """Whether only the table of labels is wanted of a folder of pictures."""
    return output.suffix in SUFFIXES and review.source.form == "folder with a table" and review.source.votes is None


def _is_folder(review: Review) -> bool:
    return review.source.form in _FOLDERS or review.source.options["labels"] is not None


def _refuse_overlap(output: Path, inputs: list[Path]) -> None:
    there = output.resolve()
    for path in inputs:
        here = path.resolve()
        if there == here or there.is_relative_to(here) or here.is_relative_to(there):
            problem = f"the output overlaps with {path}, which the command reads"
            raise InvalidInput(output, problem, "name a folder somewhere else")
    if output.exists() and not output.is_dir():
        raise InvalidInput(output, "this is a file", "name a new folder")


def _writer(review: Review, job: Job, corrections: Corrections) -> Callable[[Path], None]:
    source, column, named = review.source, _named(review, "label_column"), _named(review, "labels")
    if source.form == "class folders":
        return partial(_class_folders, source.path, source.ids, corrections, link_file if job.link else copy_file)
    if source.form == "npz" and named is None:
        return partial(write_npz if source.votes is None else add_to_npz, source.path, str(column), corrections)
    annotators = source.options["annotators"]
    if isinstance(annotators, list):
        return partial(_add_to_table, source.path, source.form, annotators, corrections)
    if named is None:
        return partial(_write_table, source.path, source.form, column or "label", corrections)
    labels = Path(named)
    if source.votes is not None:
        return partial(_with_decided, review, corrections, link_file if job.link else copy_file)
    if job.output.suffix in SUFFIXES:
        return partial(_write_table, labels, _form_of(labels), str(column), corrections)
    return partial(_with_labels, review, labels, column, corrections, link_file if job.link else copy_file)


def _named(review: Review, option: str) -> str | None:
    """The value of an option of the source that is a name or a path."""
    value = review.source.options[option]
    return None if value is None else str(value)


def _form_of(labels: Path) -> str:
    """How a file of labels is stored, which its name tells."""
    return SUFFIXES.get(labels.suffix.lower(), "npy")


def _write_table(path: Path, form: str, column: str, corrections: Corrections, output: Path) -> None:
    """Writes a table of any form with corrected labels. A column that is not there is added."""
    if form in ("csv", "tsv"):
        write_text_table(path, column, delimiter_of(path, form), corrections, output)
    else:
        names = open_table(path, form).class_names.get(column)
        write_arrow_table(path, form, LabelColumn(column, names), corrections, output)


def _add_to_table(path: Path, form: str, votes: Sequence[str], corrections: Corrections, output: Path) -> None:
    """Writes a table with the labels before and after the review in new last columns. The votes stay as they are."""
    table = open_table(path, form)
    column = column_for_new(table.kinds)
    if form in ("csv", "tsv"):
        write_text_table(path, column, delimiter_of(path, form), corrections, output)
    else:
        like = () if table.class_names.keys() & set(votes) else tuple(votes)
        write_arrow_table(path, form, LabelColumn(column, like=like), corrections, output)


_Place = Callable[[Path, Path], None]


def _class_folders(folder: Path, ids: tuple[str, ...], corrections: Corrections, place: _Place, output: Path) -> None:
    wanted = {path: folder / ids[row] for row, path in targets(ids, corrections).items()}
    gone = [path for path in wanted.values() if not path.is_file()]
    if gone:
        raise InvalidInput(gone[0], "there is no such file, or its name cannot be printed", "restore or rename it")
    write_files(wanted, output, place)


def _with_labels(
    review: Review, labels: Path, column: str | None, corrections: Corrections, place: _Place, output: Path
) -> None:
    """Pictures, or an array of features, and the file with their labels, in one folder."""
    source, form = review.source, _form_of(labels)
    written = [labels.name]
    if form == "npy":
        written.append(f"{OLD_LABEL}.npy")
    wanted: dict[PurePosixPath, Path] = {}
    if source.form in _FOLDERS:
        wanted = {PurePosixPath(source.ids[row]): source.path / source.ids[row] for row in corrections.kept.tolist()}
        if PurePosixPath(labels.name) in wanted:
            raise InvalidInput(Place(labels), "a picture has the same name", "rename it")
    else:
        written.append(source.path.name)
    write_files(wanted, output, place, written)
    if source.form not in _FOLDERS:
        _write_features(source, corrections, output / source.path.name, place)
    if form == "npy":
        write_labels(labels, corrections, output)
    elif source.form in _FOLDERS:
        _write_table(labels, form, str(column), corrections, output / labels.name)
    else:
        _write_label_table(review, labels, corrections, output / labels.name)


def _with_decided(review: Review, corrections: Corrections, place: _Place, output: Path) -> None:
    """Pictures or features, and a table of their labels in place of the votes."""
    source, kept = review.source, corrections.kept.tolist()
    pictures = source.form in _FOLDERS
    table = "labels.csv" if source.path.name != "labels.csv" else "decided_labels.csv"
    wanted = {PurePosixPath(source.ids[row]): source.path / source.ids[row] for row in kept if pictures}
    if PurePosixPath(table) in wanted:
        raise InvalidInput(source.path / table, "a picture has the name of the new table", "rename it")
    write_files(wanted, output, place, [table, *([] if pictures else [source.path.name])])
    if not pictures:
        _write_features(source, corrections, output / source.path.name, place)
    lines = ((source.ids[row], corrections.label[row] or "", corrections.given[row] or "") for row in kept)
    write_text(output / table, csv_text(("path" if pictures else "id", "label", OLD_LABEL), lines))


def _write_features(source: Source, corrections: Corrections, output: Path, place: _Place) -> None:
    """Rows without labels, in any form."""
    path, form = source.path, source.form
    if not corrections.dropped:
        place(path, output)
    elif form in ("npy", "npz"):
        write_array(path, form, corrections, output)
    elif form in ("csv", "tsv"):
        write_text_table(path, None, delimiter_of(path, form), corrections, output)
    else:
        write_arrow_table(path, form, None, corrections, output)


def _write_label_table(review: Review, path: Path, corrections: Corrections, output: Path) -> None:
    """Writes a table that holds only labels, in the order of the rows or with their ids."""
    form = _form_of(path)
    table = open_table(path, form)
    column, id_column = label_and_id(
        table, Options(label_column=_named(review, "label_column"), id_column=_named(review, "id_column"))
    )
    names = table.texts(id_column) if id_column is not None else []
    if not set(names) & set(review.source.ids):
        _write_table(path, form, column, corrections, output)
        return
    rows = [review.rows[str(name)] for name in names]
    lost = sorted(set(corrections.changed) - set(rows))
    if lost:
        where = Place(path, row=review.source.ids[lost[0]])
        raise InvalidInput(where, "the row has a new label but no line in this table", "add a line for it")
    _write_table(path, form, column, corrections.of(rows), output)
