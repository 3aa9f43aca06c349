"""Loading parameters.yaml for a command: the file is parsed, and every name in it must be known.

Otherwise a misspelt name would look like something that is switched off.
"""

from collections.abc import Collection
from pathlib import Path

from cleaning.errors import InvalidInput, Place, suggest
from evaluation.contract.registry import bounds, tasks
from evaluation.files.yaml import KeyPath, LocatedYaml
from evaluation.settings.parameters import Parameters, parse_parameters


def load_parameters(path: Path) -> Parameters:
    """Reads and checks the file. Raises InvalidInput with the file, line, key, value and fix."""
    parameters, located = parse_parameters(path)
    named: list[tuple[KeyPath, str]] = [(("tasks", number), name) for number, name in enumerate(parameters.tasks)]
    named += [(("datasets", block, "task"), spec.task) for block, spec in parameters.datasets.items()]
    named += [((part, name), name) for part in ("rules", "limits") for name in getattr(parameters, part)]
    for keys, name in named:
        _refuse_unknown("task", name, tasks(), located, keys)
    for number, name in enumerate(parameters.bounds):
        _refuse_unknown("bound", name, bounds(), located, ("bounds", number))
    return parameters


def _refuse_unknown(kind: str, name: str, known: Collection[str], located: LocatedYaml, keys: KeyPath) -> None:
    if name not in known:
        place = Place(located.path, line=located.line(keys), key=".".join(map(str, keys)))
        raise InvalidInput(place, f"there is no such {kind}, found {name!r}", suggest(name, known))
