"""Public names whose modules are imported when they are first asked for: nobody waits for what they do not use."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def importer(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """The `__getattr__` of a package. homes: its public names, by the module that defines them."""
    home_of = {name: home for home, names in homes.items() for name in names}

    def imported(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    return imported
