"""The caveats of a posterior in the names of the classes."""

from collections.abc import Sequence
from dataclasses import replace

from cleaning.belief.caveats import Caveat
from cleaning.belief.moved import Moved, moved_classes
from cleaning.belief.posterior import Posterior
from cleaning.errors import bounded

_SHOWN = 3
_NO_LABEL = {"nan", "na", "n/a", "#n/a", "<na>", "none", "null", "?", "missing", "unlabeled", "unlabelled"}


def named_caveats(posterior: Posterior, names: Sequence[str]) -> tuple[Caveat, ...]:
    """The caveats, which know classes by their numbers, with the name of each class instead; and those about names."""
    basis, found = posterior.basis, posterior.caveats
    moved: Sequence[Moved] = ()
    if basis.trusted is not None and any(caveat.kind == "moved classes" for caveat in found):
        moved = moved_classes(basis.distinct, basis.trusted)
    return with_names(found, names, int(posterior.given[0]), moved)


def with_names(
    caveats: Sequence[Caveat], names: Sequence[str], label: int, moved: Sequence[Moved]
) -> tuple[Caveat, ...]:
    """The caveats, with the names of classes; and those about names. label: one that occurs. moved: the classes."""
    return (*_of_names(names), *(_named(caveat, names, label, moved) for caveat in caveats))


def _of_names(names: Sequence[str]) -> list[Caveat]:
    """That names may mean no label, or the same label."""
    found = []
    none = [name for name in names if name.casefold() in _NO_LABEL]
    if none:
        sentence = f"{_listed(none)} {'count as classes' if len(none) > 1 else 'counts as a class'}"
        found.append(Caveat("odd names", sentence, "leave the cell empty where there is no label", hides_count=False))
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    for same in [same for same in alike.values() if len(same) > 1][:_SHOWN]:
        sentence = f"{_listed(same)} count as {len(same)} classes"
        fix = "if they are the same, write one name for it in all rows"
        found.append(Caveat("odd names", sentence, fix, hides_count=False))
    return found


def _listed(names: Sequence[str]) -> str:
    return " and ".join(bounded(repr(name)) for name in names[:_SHOWN])


def _named(caveat: Caveat, names: Sequence[str], label: int, moved: Sequence[Moved]) -> Caveat:
    if caveat.kind == "one class":
        sentence = f"every label is {names[label]}; with only one class, wrong labels cannot be found"
        return replace(caveat, sentence=f"{sentence} and the order means nothing")
    if caveat.kind == "moved classes":
        pairs = "; ".join(
            f"what the trusted rows call {names[one.trusted]}, the other rows call {names[one.given]}"
            for one in moved[:_SHOWN]
        )
        sentence = f"the classes seem to be named differently: {pairs}{'; …' if len(moved) > _SHOWN else ''}"
        return replace(caveat, sentence=sentence, fix="use the same name for the same class in both")
    return caveat
