"""Folders of pictures: one folder per class, or one folder and a table that says which picture is what."""

from dataclasses import replace
from pathlib import Path

from cleaning.errors import InvalidInput, Place, count_of, listed, suggest
from cleaning.labels.classes import Labels
from cleaning.labels.votes import Votes
from evaluation.embedding.embed import picture_names
from evaluation.labels.forms.folder_names import labels_of_names
from evaluation.labels.forms.found import Found, Options, Views
from evaluation.labels.forms.from_table import found_files, paths_of
from evaluation.labels.forms.label_file import labels_of
from evaluation.labels.forms.pictures import Surroundings, embed_folder, folder_picture
from evaluation.labels.forms.roles import choose_roles, path_column
from evaluation.labels.forms.said import said_of_names, said_of_votes
from evaluation.labels.forms.tables import SUFFIXES, Table, open_table
from evaluation.labels.forms.vote_file import vote_table, votes_by_id


def read_folder(path: Path, options: Options, around: Surroundings) -> Found:
    """The pictures of a folder."""
    table = options.labels or table_inside(path)
    return _with_table(path, table, options, around) if table is not None else _by_class(path, options, around)


def _by_class(path: Path, options: Options, around: Surroundings) -> Found:
    listed = picture_names(path)
    labels_of_names(listed, path)
    found = embed_folder(path, listed, options, around)
    labels = labels_of_names(found.names, path)
    evidence, hashes = found.of(found.names, Place(path))
    said = [f"pictures embedded by {found.encoder}", f"labels from the folder names, {said_of_names(labels)}"]
    decoded = found.names
    views = Views(picture=lambda row: folder_picture(path, decoded[row]))
    filled = replace(options, encoder=found.encoder)
    return Found("class folders", filled, decoded, labels, evidence, said, hashes, (), views)


def _with_table(path: Path, where: Path, options: Options, around: Surroundings) -> Found:
    form = SUFFIXES.get(where.suffix.lower())
    if form is None or not where.is_file():
        problem = "this is not a table" if where.exists() else "there is no such file"
        raise InvalidInput(where, problem, f"give a file that ends in {', '.join(SUFFIXES)}")
    table = open_table(where, form)
    if not table.rows:
        raise InvalidInput(where, "there are no rows", "provide at least one sample")
    column = options.image_column or options.id_column or path_column(table) or _naming_column(table, path)
    if column not in table.kinds:
        raise InvalidInput(where, f"there is no column {column!r}", suggest(column, table.kinds))
    listed = paths_of(table, column, path)
    labels, votes, label, from_where = _labels(table, column, listed, options)
    listed = list(dict.fromkeys(listed))
    found = embed_folder(path, listed, replace(options, on_undecodable="error"), around)
    evidence, hashes = found.of(listed, Place(path))
    left = sum(name not in set(listed) and path / name != where for name in picture_names(path))
    said = [f"pictures from `{column}`, embedded by {found.encoder}", from_where]
    said += [f"{count_of(left, 'file')} without a row in {where.name}"] if left else []
    filled = replace(options, labels=where, image_column=column, label_column=label, encoder=found.encoder)
    views = Views(picture=lambda row: folder_picture(path, listed[row]))
    return Found("folder with a table", filled, listed, labels, evidence, said, hashes, (where,), views, votes)


def _labels(table: Table, column: str, listed: list[str], options: Options) -> tuple[Labels, Votes | None, str, str]:
    """The labels, the votes that they are the majority of, the column that they are in, and what is said of it."""
    voted = vote_table(table.path, replace(options, image_column=column))
    if voted is not None:
        votes = votes_by_id(voted, listed, list(dict.fromkeys(listed)), options, None)
        given = votes.given
        return given, votes, voted.label, said_of_votes(votes, given, [voted.label])
    roles = choose_roles(table, replace(options, image_column=column, id_column=None))
    if roles.label is None:  # pragma: no cover - the labels are nowhere else
        raise AssertionError
    labels, first = labels_of(table, roles.label, options), dict[str, int]()
    for row, name in enumerate(listed):
        if first.setdefault(name, row) != row:
            raise InvalidInput(table.place(column, row), f"{name!r} already has a row", "keep one row per picture")
    return labels, None, roles.label, f"labels from `{roles.label}`, {said_of_names(labels)}"


def _naming_column(table: Table, folder: Path) -> str:
    """The only column whose cells name files of the folder: all of them, or else most."""
    files = picture_names(folder)
    cells = [name for name, kind in table.kinds.items() if kind in ("number", "text")]
    unknown = {name: found_files(table.texts(name), files).count(None) for name in cells}
    naming = [name for name in cells if not unknown[name]]
    naming = naming or [name for name in cells if 2 * unknown[name] < table.rows]
    if len(naming) != 1:
        problem = f"the pictures may be named by {listed(naming, ' or ')}" if naming else "no column names the pictures"
        raise InvalidInput(table.path, problem, "say which: --image-column=NAME, with paths below the folder")
    return naming[0]


def table_inside(path: Path) -> Path | None:
    """The only table in a folder without folders."""
    if not path.is_dir() or any(entry.is_dir() and not entry.name.startswith(".") for entry in path.iterdir()):
        return None
    files = [entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    tables = sorted(entry for entry in files if entry.suffix.lower() in SUFFIXES)
    if tables and len(tables) == len(files):
        raise InvalidInput(path, "it holds tables, not pictures", f"rank one of them, for example {tables[0]}")
    if len(tables) > 1:
        listed = " or ".join(table.name for table in tables)
        raise InvalidInput(path, f"the labels may be in {listed}", "say which: --labels=FILE")
    return tables[0] if tables else None
