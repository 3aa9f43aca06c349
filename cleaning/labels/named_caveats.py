"""The caveats of a posterior in the names of the classes."""

from collections.abc import Sequence
from dataclasses import replace

from cleaning.belief.caveats import Caveat
from cleaning.belief.moved import moved_classes
from cleaning.belief.posterior import Posterior

_SHOWN = 3


def named_caveats(posterior: Posterior, names: Sequence[str]) -> tuple[Caveat, ...]:
    """The caveats, which know classes by their numbers, with the name of each class instead."""
    return tuple(_named(caveat, posterior, names) for caveat in posterior.caveats)


def _named(caveat: Caveat, posterior: Posterior, names: Sequence[str]) -> Caveat:
    if caveat.kind == "one class":
        sentence = f"every label is {names[posterior.given[0]]}; with only one class, wrong labels cannot be found"
        return replace(caveat, sentence=f"{sentence} and the order means nothing")
    if caveat.kind == "moved classes" and posterior.basis.trusted is not None:
        moved = moved_classes(posterior.basis.distinct, posterior.basis.trusted)
        pairs = "; ".join(
            f"what the trusted rows call {names[one.trusted]}, the other rows call {names[one.given]}"
            for one in moved[:_SHOWN]
        )
        sentence = f"the classes seem to be named differently: {pairs}{'; …' if len(moved) > _SHOWN else ''}"
        return replace(caveat, sentence=sentence, fix="use the same name for the same class in both")
    return caveat
