"""The names parameters.yaml calls things by: unknown ones must not pass as things switched off."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from cleaning.discovery import nearest
from cleaning.errors import InvalidInput, Place
from evaluation.yaml_lines import KeyPath, LocatedYaml

if TYPE_CHECKING:
    from evaluation.parameters import Parameters


def refuse_unknown_names(parameters: "Parameters", located: LocatedYaml) -> None:
    """Raises InvalidInput with file, line, key and the nearest name for a task or a bound that is not there."""
    from evaluation.registry import own_rankers, tasks

    named: list[tuple[KeyPath, str]] = [(("tasks", number), name) for number, name in enumerate(parameters.tasks)]
    named += [(("datasets", block, "task"), spec.task) for block, spec in parameters.datasets.items()]
    named += [(("rules", name), name) for name in parameters.rules]
    for keys, name in named:
        _refuse_unknown("task", name, tasks(), located, keys)
    if parameters.bounds:
        bounds = [name for name, ranker in own_rankers().items() if ranker.bound is not None]
        for number, name in enumerate(parameters.bounds):
            _refuse_unknown("bound", name, bounds, located, ("bounds", number))


def _refuse_unknown(kind: str, name: str, known: Collection[str], located: LocatedYaml, keys: KeyPath) -> None:
    if name not in known:
        place = Place(located.path, line=located.line(keys), key=".".join(map(str, keys)))
        raise InvalidInput(place, f"there is no such {kind}, found {name!r}", nearest(name, known))
