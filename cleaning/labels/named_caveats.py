"""The caveats of a posterior in the names of the classes."""

from collections.abc import Sequence

from cleaning.belief.caveats import Caveat
from cleaning.errors import bounded

_SHOWN = 3
_NO_LABEL = {"nan", "na", "n/a", "#n/a", "<na>", "none", "null", "?", "missing", "unlabeled", "unlabelled"}


def named_caveats(caveats: Sequence[Caveat], names: Sequence[str]) -> tuple[Caveat, ...]:
    """The caveats, with the name of each class in place of its number; and those about names."""
    return (*_of_names(names), *(caveat.with_names(names) for caveat in caveats))


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
