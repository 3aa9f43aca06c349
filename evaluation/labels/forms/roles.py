"""Which column of a table is what: as the user says, or guessed where only one thing fits."""

from collections import Counter
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cleaning.errors import InvalidInput, listed, suggest
from cleaning.labels.classes import is_quantity
from cleaning.labels.columns import ID_NAMES, LABEL_NAMES, NOT_JUDGED_BY, OF_REVIEWS, Column, column_of
from cleaning.labels.evidence import refuse_odd_numbers
from evaluation.labels.forms.annotators import guessed_annotators, several_fit, share_classes, with_annotators
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.tables import Kind, Table, matching

_PATH_NAMES = ID_NAMES[1][:-1]

_PLURAL: dict[Kind, str] = {
    "number": "numbers",
    "text": "texts",
    "date": "dates",
    "vector": "lists of numbers",
    "picture": "pictures",
    "other": "values of another kind",
}

Evidence = Literal["embedding", "picture", "text", "columns"]


@dataclass(frozen=True)
class Roles:
    """The columns of a table by what they are for. label: None if there is none. id: None for row numbers.

    annotators: the columns with the votes of several people, in place of a label; empty if there are none. by: what the
    rows are judged by: one column (`column`), or several (`features`). notes: said besides the choice.
    """

    label: str | None
    id: str | None
    by: Evidence
    column: str | None
    features: tuple[Column, ...]
    notes: tuple[str, ...]
    annotators: tuple[str, ...] = ()


def choose_roles(table: Table, options: Options, *, labels_elsewhere: bool = False) -> Roles:
    """The role of each column. Raises InvalidInput where a named column is missing, nothing fits, or two things do.

    labels_elsewhere: the labels come from another file or from folder names if no column is sure to have them.
    """
    options = with_annotators(table, options)
    _refuse_unknown(table, options)
    taken = {options.id_column, options.embedding_column, options.image_column, options.text_column}
    taken |= _of_reviews(table)
    label, voters, old = options.label_column, options.annotators or (), list[str]()
    if labels_elsewhere and options.labels is not None:
        old = [*table.class_names, *_named_like_labels(table, options, {*taken, *table.class_names})]
    elif label is None and not voters:
        label, voters = _guess_labels(table, options, taken, labels_elsewhere=labels_elsewhere)
    found, notes = _guess_id(table, options, {label, *voters, *taken})
    used = {label, *voters, found, *old}
    alike = {name for name in _named_like_labels(table, options, used) if table.kinds[name] == "number"}
    by, column = _guess_evidence(table, options, used | alike)
    features: tuple[Column, ...] = ()
    if by == "columns":
        features = _features(table, options, used, _id_like(table, used))
        if not options.features:
            notes += (f"{listed([f'`{name}`' for name in old])} left out (named like labels)",) if old else ()
            empty = [f"`{one.name}`" for one in features if one.is_empty]
            features = tuple(one for one in features if not one.is_empty)
            notes += (f"{listed(empty)} left out (no value)",) if empty else ()
            judged = {one.name for one in features if one.kind == "number" or one.is_category}
            if not judged or (judged <= alike and any(one.kind == "text" for one in features)):
                by, column, features = *_only_texts(table, features), ()
    return Roles(label, found, by, column, features, notes, voters)


def label_and_id(table: Table, options: Options) -> tuple[str, str | None]:
    """The columns of the labels and of the ids in a table that only holds labels."""
    label, named = label_among(table, options), _named(table, options)
    alone = len(table.kinds.keys() - _of_reviews(table)) == 1 and options.label_column is None
    return label, None if alone else _guess_id(table, named, {label})[0]


def label_among(table: Table, options: Options, others: Collection[str] = ()) -> str:
    """The column of the labels in a table that only holds labels. others: neither labels nor ids."""
    old, named = {*_of_reviews(table), *others}, _named(table, options)
    kept = [name for name in table.kinds if name not in old]
    if len(kept) == 1 and options.label_column is None:
        return kept[0]
    _refuse_unknown(table, named)
    label = named.label_column or _guess_label(table, named, {named.id_column, *old}, labels_elsewhere=False)
    if label is None:  # pragma: no cover - the labels are nowhere else
        raise AssertionError
    return label


def _named(table: Table, options: Options) -> Options:
    """The columns that are named for the labels, and for the ids if it is there."""
    ids = options.id_column if options.id_column in table.kinds else None
    return Options(label_column=options.label_column, id_column=ids)


def _of_reviews(table: Table) -> set[str]:
    """The columns in which an earlier `fixfirst apply` kept the old labels, or put the new ones beside the votes."""
    return {name for name in table.kinds if name.startswith(OF_REVIEWS)}


def _refuse_unknown(table: Table, options: Options) -> None:
    """Raises InvalidInput for a named column that is not there or has no such use, and for two kinds of evidence."""
    by: dict[str, tuple[str | None, tuple[Kind, ...]]] = {
        "--embedding-column": (options.embedding_column, ("vector",)),
        "--image-column": (options.image_column, ("picture", "text", "number")),
        "--text-column": (options.text_column, ("text",)),
    }
    cells: tuple[Kind, ...] = ("number", "text", "date", "other", "vector")
    named = [("--label-column", name, cells) for name in (options.label_column, *(options.annotators or ()))]
    named += [("--id-column", options.id_column, cells[:2])]
    named += [(option, name, kinds) for option, (name, kinds) in by.items()]
    for option, name, kinds in named:
        if name is not None and name not in table.kinds:
            raise InvalidInput(table.path, f"there is no column {name!r} for {option}", suggest(name, table.kinds))
        if name is not None and table.kinds[name] not in kinds:
            fitting = [other for other, kind in table.kinds.items() if kind in kinds]
            problem = f"it holds {_PLURAL[table.kinds[name]]}, which {option} cannot be"
            raise InvalidInput(
                table.place(name), problem, f"name another column: {', '.join(fitting[:8]) or 'none fits'}"
            )
    chosen = ["--features"] * bool(options.features) + [option for option, (name, _) in by.items() if name]
    if len(chosen) > 1:
        raise InvalidInput(" and ".join(chosen), "the rows are judged by one of them", "leave one of them out")


def only_one(table: Table, found: Sequence[str], what: str, option: str) -> str | None:
    """The only one; raises InvalidInput that lists several."""
    if len(found) > 1:
        names = [name or "the column without a name" for name in found]
        raise InvalidInput(table.path, f"{what} may be in {listed(names, ' or ')}", f"say which: {option}=NAME")
    return found[0] if found else None


def _guess_labels(
    table: Table, options: Options, taken: set[str | None], *, labels_elsewhere: bool
) -> tuple[str | None, tuple[str, ...]]:
    """The column of the labels, or those of the votes of several annotators.

    Raises InvalidInput where none fits, and where both do.
    """
    if labels_elsewhere or options.annotators is not None:
        return _guess_label(table, options, taken, labels_elsewhere=labels_elsewhere), ()
    judged = {match for pattern in options.features or () for match in matching(pattern, table.kinds)}
    free = [name for name, kind in table.kinds.items() if kind in ("number", "text") and name not in taken | judged]
    voters = guessed_annotators(table, free)
    if not voters:
        return _guess_label(table, options, taken, labels_elsewhere=False), ()
    label = _guess_label(table, options, taken | set(voters), labels_elsewhere=True)
    if label is not None and not share_classes(table, label, voters):
        return label, ()
    others = [label] if label is not None else _categories(table, taken | judged | set(voters))
    if others:
        raise several_fit(table, [*others, ", ".join(voters)], voters)
    return None, voters


def _guess_label(table: Table, options: Options, taken: set[str | None], *, labels_elsewhere: bool) -> str | None:
    free = [name for name, kind in table.kinds.items() if name not in taken and kind in ("number", "text")]
    classes = [name for name in free if name in table.class_names]
    found = only_one(table, classes, "the labels", "--label-column")
    named = _named_like_labels(table, options, taken)
    texts = [name for name in named if table.kinds[name] == "text"]
    found = found or only_one(table, texts if len(texts) == 1 else named, "the labels", "--label-column")
    if found or labels_elsewhere:
        return found
    judged = {match for pattern in options.features or () for match in matching(pattern, free)}
    found = only_one(table, _categories(table, taken | judged), "the labels", "--label-column")
    quantities = [name for name in free if name.casefold() in LABEL_NAMES]
    found = found or only_one(table, quantities, "the labels", "--label-column")
    if found is None:
        raise InvalidInput(
            table.path,
            f"there is no column of labels (columns: {listed(table.kinds)})",
            "name it with --label-column=NAME",
        )
    return found


def _named_like_labels(table: Table, options: Options, taken: Container[str | None]) -> list[str]:
    """The columns of text and of numbers that are named like labels, but for those of a quantity."""
    named = [name for name, kind in table.kinds.items() if kind in ("number", "text") and name not in taken]
    named = [name for name in named if name.casefold() in LABEL_NAMES]
    return [
        name for name in named if options.classes or table.kinds[name] != "number" or not _holds_quantity(table, name)
    ]


def _holds_quantity(table: Table, name: str) -> bool:
    return is_quantity(np.asarray(table.numbers([name])[:, 0], dtype=np.float64))


def _categories(table: Table, taken: set[str | None]) -> list[str]:
    """The columns of text with few different values, but for those named like ids."""
    texts = [name for name, kind in table.kinds.items() if kind == "text" and name not in taken]
    ids = [name for names in ID_NAMES for name in texts if name.casefold() in names]
    columns = [column_of(name, table.values(name), table.place()) for name in texts if name not in ids]
    return [one.name for one in columns if one.is_category]


def _guess_id(table: Table, options: Options, taken: set[str | None]) -> tuple[str | None, tuple[str, ...]]:
    """The id column, and what is to be said about it. A named one must hold a different id in every row."""
    if options.id_column is not None or options.number_rows:
        return options.id_column, ()
    name = id_column(table, taken)
    if name is None:
        return None, ()
    counts = Counter(table.texts(name))
    if None in counts or max(counts.values(), default=1) == 1:
        return name, ()
    return None, (f"since `{name}` repeats",)


def id_column(table: Table, taken: Container[str | None]) -> str | None:
    """The column that is named like ids. Raises InvalidInput if there are several, unless they are the same index."""
    for names in ID_NAMES:
        found = [
            name
            for name, kind in table.kinds.items()
            if name not in taken
            and name.casefold() in names
            and kind in ("number", "text")
            and _has_values(table, name)
        ]
        if names is ID_NAMES[-1] and all(table.texts(name) == table.texts(found[0]) for name in found[1:]):
            found = found[:1]
        if found:
            return only_one(table, found, "the ids", "--id-column")
    return None


def _has_values(table: Table, name: str) -> bool:
    return bool(name) or any(value is not None for value in table.texts(name))


def _id_like(table: Table, taken: set[str | None]) -> list[str]:
    """Further columns that say nothing about the class: ids, paths, and the labels before an earlier review."""
    old = _of_reviews(table)
    return [name for name in table.kinds if name not in taken and (name.casefold() in NOT_JUDGED_BY or name in old)]


def _guess_evidence(table: Table, options: Options, taken: set[str | None]) -> tuple[Evidence, str | None]:
    if options.features:
        return "columns", None
    if options.embedding_column is not None:
        return "embedding", options.embedding_column
    if options.image_column is not None:
        return "picture", options.image_column
    if options.text_column is not None:
        return "text", options.text_column
    free = {name: kind for name, kind in table.kinds.items() if name not in taken}
    found = [name for name, kind in free.items() if kind in ("vector", "picture")]
    if len(found) > 1:
        raise InvalidInput(
            table.path,
            f"the rows may be judged by {listed(found, ' or ')}",
            "say by which: --embedding-column=NAME or --image-column=NAME",
        )
    if found:
        return ("embedding" if free[found[0]] == "vector" else "picture"), found[0]
    if all(name in _id_like(table, taken) for name in free):
        path = path_column(table)
        return ("columns", None) if path is None else ("picture", path)
    return "columns", None


def path_column(table: Table) -> str | None:
    """The only column of text whose name says that it holds paths."""
    found = [name for name, kind in table.kinds.items() if kind == "text" and name.casefold() in _PATH_NAMES]
    return found[0] if len(found) == 1 else None


def _features(
    table: Table, options: Options, taken: Container[str | None], useless: Container[str]
) -> tuple[Column, ...]:
    """The columns that the rows are judged by: those named, or all that have no other role and are not useless."""
    if not options.features:
        names = [name for name in table.kinds if name not in taken and name not in useless]
    else:
        names = []
        for pattern in options.features:
            found = [name for name in matching(pattern, table.kinds) if name not in names]
            if not matching(pattern, table.kinds):
                raise InvalidInput(table.path, f"there is no column {pattern!r}", suggest(pattern, table.kinds))
            names += [name for name in found if name not in taken or not pattern.endswith("*")]
    numbers = [name for name in names if table.kinds[name] == "number"]
    matrix = table.numbers(numbers)
    values = {name: matrix[:, place] for place, name in enumerate(numbers)}
    return tuple(
        Column(name, "number", values[name]) if name in values else _other_column(table, name) for name in names
    )


def _other_column(table: Table, name: str) -> Column:
    kind = table.kinds[name]
    if kind == "text":
        return column_of(name, table.values(name), table.place())
    return Column(name, "date" if kind == "date" else "other", None)


def _only_texts(table: Table, columns: Sequence[Column]) -> tuple[Evidence, str]:
    """The one column of free text, where there is nothing else to judge the rows by."""
    texts = [one.name for one in columns if one.kind == "text"]
    for one in columns:
        if one.kind == "text":
            refuse_odd_numbers(one, table.place(one.name))
    found = only_one(table, texts, "the texts to judge the rows by", "--text-column")
    if found is None:
        raise InvalidInput(
            table.path,
            f"there is nothing to judge the rows by (columns: {listed(table.kinds)})",
            "add columns of numbers, an embedding, pictures or texts",
        )
    return "text", found
