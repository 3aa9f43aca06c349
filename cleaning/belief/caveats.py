"""What the data cannot tell, or what seems to be wrong with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cleaning.belief.copies import row_keys
from cleaning.belief.moved import moved_classes
from cleaning.belief.signal import pairing_p_value
from cleaning.data import FloatMatrix, IntVector, Split

Kind = Literal[
    "one class",
    "no signal",
    "many values",
    "few rows",
    "moved classes",
    "unknown classes",
    "shared rows",
    "misleading rows",
    "all agree",
    "odd names",
    "another label",
]

_BLOCK = 4096
# The level of the permutation tests for signal: with three of them, the least that 99 permutations can reach.
_LEVEL = 0.03
# With more classes than this, and fewer rows per class than that, labels look like a quantity. A guess.
_MANY_CLASSES, _FEWEST_ROWS_PER_CLASS = 20, 2.5
# With more classes than _MANY_CLASSES and fewer rows per class than this, unusual rows are taken for wrong labels: with
# 100 classes of 20 rows 25% too many, with 200 of 10 twice as many. With 30 rows per class the interval holds.
_ENOUGH_ROWS_PER_CLASS = 25
# So many classes or pairs of classes are named at most.
_SHOWN = 3


@dataclass(frozen=True)
class Caveat:
    """Something the data cannot tell, or that seems to be wrong with them.

    Attributes
    ----------
    kind : str
        For programs: `"one class"`, `"no signal"`, `"many values"`, `"few rows"`, `"moved classes"`,
        `"unknown classes"`, `"shared rows"`, `"misleading rows"`, `"all agree"`, `"odd names"` or `"another label"`.
    sentence : str
        For people: what was noticed.
    fix : str
        For people: what would help.
    hides_count : bool
        Whether no number of wrong labels can be given.
    classes : tuple of int
        The numbers of the classes that the sentence is about.
    """

    kind: Kind
    sentence: str
    fix: str
    hides_count: bool = True
    classes: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.sentence}. Fix: {self.fix}."

    def with_names(self, names: Sequence[str]) -> "Caveat":
        """Say the same with the name of each class in place of its number.

        Parameters
        ----------
        names : sequence of str
            The name of each class, by its number.

        Returns
        -------
        Caveat
            The same caveat; unchanged if it is not about classes.
        """
        write = _ABOUT_CLASSES.get(self.kind)
        return self if write is None else replace(self, sentence=write([names[one] for one in self.classes]))


@dataclass(frozen=True)
class Unused:
    """How many of `every` trusted rows are not used: training rows `shared` with the others, or `misleading` ones."""

    shared: int
    misleading: int
    every: int


def independent_rows(train: Split, validation: Split) -> IntVector:
    """The numbers of the validation rows that are evidence of their own, (k,).

    If every validation row that is also a training row has its training label, these rows are left out: the labels were
    probably just copied. If any label differs, somebody has checked them, and all rows are kept.
    """
    single = np.float32 in (train.features.dtype, validation.features.dtype)
    kind = np.float32 if single else np.float64
    wanted = row_keys(validation.features.astype(kind))
    labels: dict[bytes, set[int]] = {key: set() for key in wanted}
    for start in range(0, len(train), _BLOCK):
        block = slice(start, start + _BLOCK)
        for key, label in zip(row_keys(train.features[block].astype(kind)), train.labels[block].tolist(), strict=True):
            if key in labels:
                labels[key].add(label)
    shared = np.array([bool(labels[key]) for key in wanted])
    same = [label in labels[key] for key, label in zip(wanted, validation.labels.tolist(), strict=True) if labels[key]]
    return np.flatnonzero(~shared) if all(same) else np.arange(len(validation))


def are_many_values(different: int, labels: int) -> bool:
    """Whether so many different labels, among so many, look like a quantity or like ids, not like classes."""
    return different > _MANY_CLASSES and labels < _FEWEST_ROWS_PER_CLASS * different


def caveats_of(
    labels: IntVector, distinct: Split, trusted: Split | None, unused: Unused, predicted: FloatMatrix | None = None
) -> tuple[Caveat, ...]:
    """The caveats of training rows with these labels.

    distinct and trusted: one row per group of copies among the training rows and among the trusted rows that are used.
    predicted: what the user's own model says of each group, for the first rows of `distinct`.
    """
    found = [_of_shared(unused.shared, unused.every)] if unused.shared else []
    if unused.misleading:
        found.append(_of_misleading(unused.misleading))
    given = np.unique(labels)
    every = given if trusted is None else np.union1d(given, trusted.labels)
    if len(every) == 1:
        return (*found, _about_classes("one class", every, "add rows of another class"))
    if are_many_values(len(given), len(labels)):
        sentence = f"{len(given)} different labels for {len(labels)} rows look like a quantity, not like classes"
        found.append(Caveat("many values", sentence, "group the values into a few classes"))
    elif len(given) > _MANY_CLASSES and len(labels) < _ENOUGH_ROWS_PER_CLASS * len(given):
        found.append(_of_few_rows(np.unique_counts(labels).counts))
    if len(labels) > 1 and len(distinct) == 1:
        sentence = "all rows have the same embedding, so the order means nothing"
        found.append(Caveat("no signal", sentence, "look at how the embeddings were made"))
    elif not _has_signal(distinct, trusted, predicted):
        sentence = "nothing shows that the embeddings tell the labels apart, so the order may be no better than chance"
        fix = "use more rows, or embeddings of a network that knows this kind of data"
        found.append(Caveat("no signal", sentence, fix))
    elif trusted is not None:
        moved = [number for one in moved_classes(distinct, trusted) for number in (one.trusted, one.given)]
        unknown = np.setdiff1d(trusted.labels, given)
        if moved:
            found.append(_about_classes("moved classes", moved, "use the same name for the same class in both"))
        elif len(unknown):
            fix = "write the same name in both if only the names differ; otherwise give some training rows that label"
            found.append(_about_classes("unknown classes", unknown, fix))
    return tuple(found)


def _about_classes(kind: Kind, classes: Sequence[int] | IntVector, fix: str) -> Caveat:
    numbers = tuple(int(one) for one in classes)
    return Caveat(kind, _ABOUT_CLASSES[kind]([str(one) for one in numbers]), fix, classes=numbers)


def _of_one_class(names: Sequence[str]) -> str:
    return f"every label is {names[0]}; with only one class, wrong labels cannot be found and the order means nothing"


def _of_moved(names: Sequence[str]) -> str:
    """What the trusted rows call a class, and what the training rows call it, in turn."""
    pairs = zip(names[::2], names[1::2], strict=True)
    written = [f"what the trusted rows call {trusted}, the training rows call {given}" for trusted, given in pairs]
    return f"the classes seem to be named differently: {'; '.join(_first(written))}"


def _of_unknown(names: Sequence[str]) -> str:
    what = f"trusted rows are labelled {', '.join(_first(names))}, but no training row is"
    return f"{what}; how many rows of that kind have another label cannot be told"


_ABOUT_CLASSES: dict[Kind, Callable[[Sequence[str]], str]] = {
    "one class": _of_one_class,
    "moved classes": _of_moved,
    "unknown classes": _of_unknown,
}


def _first(texts: Sequence[str]) -> list[str]:
    return [*texts[:_SHOWN], *(["…"] if len(texts) > _SHOWN else [])]


def _of_few_rows(per_class: IntVector) -> Caveat:
    few, least = np.count_nonzero(per_class < _ENOUGH_ROWS_PER_CLASS), _ENOUGH_ROWS_PER_CLASS
    count = f"{few} of the {len(per_class)} classes {'has' if few == 1 else 'have'}"
    if few == len(per_class):
        count = f"each of the {few} classes has"
    sentence = f"{count} fewer than {least} rows, too few to tell how many labels are wrong, since unusual rows look"
    fix = f"use {least} or more rows per class for a number, or leave small classes out"
    return Caveat("few rows", f"{sentence} like wrong ones", fix)


def _of_shared(shared: int, every: int) -> Caveat:
    if shared == 1:
        sentence = f"1 of the {every} trusted rows is also a training row, with the same label; it confirms nothing and"
        sentence += " is not used"
    else:
        count = f"all {every} trusted rows" if shared == every else f"{shared} of the {every} trusted rows"
        sentence = f"{count} are also training rows, with the same labels; they confirm nothing and are not used"
    fix = "if somebody has checked them, take them out of the training rows"
    return Caveat("shared rows", sentence, fix, hides_count=False)


def _of_misleading(count: int) -> Caveat:
    sentence = f"{count} trusted rows are not used: the training labels are predicted better without them, so they seem"
    sentence += " to come from another source"
    return Caveat("misleading rows", sentence, "check rows drawn from the training data instead", hides_count=False)


def of_agreement(count: int) -> Caveat:
    """That the user's own model contradicts none of the labels."""
    sentence = f"the probabilities agree with every one of the {count} labels: either none is wrong, or the model was"
    fix = "make sure that every row was held out when the model predicted it"
    return Caveat("all agree", f"{sentence} fitted on these rows", fix)


def _has_signal(distinct: Split, trusted: Split | None, predicted: FloatMatrix | None) -> bool:
    """Whether features or predictions belong to the labels, in the training rows or in the trusted ones."""
    rng = np.random.default_rng(0)
    values = [pairing_p_value(distinct.features, distinct.labels, rng)]
    if trusted is not None and len(np.unique(trusted.labels)) > 1:
        values.append(pairing_p_value(trusted.features, trusted.labels, rng))
    if predicted is not None:
        values.append(pairing_p_value(predicted, distinct.labels[: len(predicted)], rng))
    return len(values) * min(values) <= _LEVEL
