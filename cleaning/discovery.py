"""Component discovery: every public module of a package is one component, so there is no list to maintain."""

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from cleaning.errors import InvalidInput, Place, foreign_reason, suggest


@dataclass(frozen=True)
class Component:
    """One discovered module.

    member: the function or object that the kind requires (`rank`, `TASK`, `Learner`). summary: the first line of the
    module's docstring, or of the member's. origin: its file.
    """

    name: str
    member: Any
    summary: str
    origin: Path
    module: ModuleType


@dataclass(frozen=True)
class Registry(Mapping[str, Component]):
    """Components of one kind by name, in alphabetical order; `skipped` maps names that cannot be loaded to reasons."""

    kind: str
    components: Mapping[str, Component]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Component:
        if name in self.skipped:
            reason, _, fix = self.skipped[name].rstrip(".").partition(". Fix: ")
            fix = fix or "install what it needs, or leave it out"
            raise InvalidInput(f"{self.kind} {name!r}", f"it cannot be loaded: {reason}", fix)
        try:
            return self.components[name]
        except KeyError:
            raise InvalidInput(
                f"{self.kind} {name!r}", f"there is no such {self.kind}", suggest(name, self.components)
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.components))

    def __len__(self) -> int:
        return len(self.components)

    def __contains__(self, name: object) -> bool:
        return name in self.components

    def joined(self, other: "Registry") -> "Registry":
        """Both registries combined. Raises InvalidInput for a name that is in both."""
        for name in sorted(set(self.components) & set(other.components)):
            raise InvalidInput(
                other.components[name].origin,
                f"the name {name!r} is already taken by the {self.kind} in {self.components[name].origin}",
                "rename the file",
            )
        return Registry(self.kind, {**self.components, **other.components}, {**self.skipped, **other.skipped})

    def warnings(self, wanted: Container[str] = ()) -> list[str]:
        """One line per component that cannot be loaded. wanted: names for which this is an error anyway."""
        return [f"{name} is left out: {reason}" for name, reason in sorted(self.skipped.items()) if name not in wanted]


def discover(package: ModuleType, kind: str, member: str) -> Registry:
    """The public modules of an imported package; its subpackages are ignored.

    A module that needs a missing package is skipped, and `skipped` names that package. Raises InvalidInput for a public
    module without the member.
    """
    return _imported({name: f"{package.__name__}.{name}" for name in public_modules(package)}, kind, member)


def public_modules(package: ModuleType) -> list[str]:
    """The names of a package's public modules, none of which is imported."""
    names = [info.name for info in pkgutil.iter_modules(package.__path__) if not info.ispkg]
    return [name for name in names if not name.startswith("_")]


def discover_parts(package: ModuleType, part: str, kind: str, member: str) -> Registry:
    """One component per subpackage of an imported package: its module named `part`, if there is one."""
    names = [info.name for info in pkgutil.iter_modules(package.__path__) if info.ispkg]
    modules = {name: f"{package.__name__}.{name}.{part}" for name in names}
    return _imported({name: path for name, path in modules.items() if importlib.util.find_spec(path)}, kind, member)


def discover_entry_points(group: str, kind: str, member: str) -> Registry:
    """Components that installed packages register in an entry-point group; each entry is a module with the member.

    An entry that cannot be imported is skipped with the reason.
    """
    found: dict[str, Component] = {}
    skipped: dict[str, str] = {}
    for entry in importlib.metadata.entry_points(group=group):
        try:
            module = entry.load()
            found[entry.name] = _component(entry.name, module, kind, member)
        except Exception as error:
            skipped[entry.name] = f"{entry.value} ({type(error).__name__}: {foreign_reason(error)})"
    return Registry(kind, found, skipped)


def discover_folder(folder: Path, kind: str, member: str, *, beside: Mapping[str, str] | None = None) -> Registry:
    """The public .py files in a user's folder that define the member.

    Importing a file runs it, so use this only for code that the user put there. `beside` maps the other kinds that
    share the folder to their members; a file that defines one of those belongs to that kind. A file that cannot be
    imported, or that defines none or several of the members, is skipped with the reason.
    """
    found: dict[str, Component] = {}
    skipped: dict[str, str] = {}
    for path in sorted(folder.glob("*.py")) if folder.is_dir() else []:
        if not path.name.startswith(("_", ".")):
            try:
                module = _import_file(path, kind)
                if _is_of_kind(module, {kind: member, **(beside or {})}, kind):
                    found[path.stem] = _component(path.stem, module, kind, member)
            except InvalidInput as error:
                skipped[path.stem] = str(error)
    return Registry(kind, found, skipped)


def failing_line(error: BaseException, path: Path) -> Place:
    """Where in a file an error was raised: the line of the deepest frame in that file, or the file alone."""
    line, trace = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return Place(path, line=line)


def _import_file(path: Path, kind: str) -> ModuleType:
    name = f"_fixfirst_{kind}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:  # pragma: no cover - only for a suffix Python cannot load
        raise InvalidInput(path, "Python cannot load this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InvalidInput(
            failing_line(error, path),
            f"it cannot be imported ({type(error).__name__}: {error})",
            "correct the file, or start its name with _",
        ) from error
    return module


def _is_of_kind(module: ModuleType, members: Mapping[str, str], kind: str) -> bool:
    """Whether the module defines the member of `kind`. Raises InvalidInput if it defines none or several members."""
    kinds = [name for name, member in members.items() if hasattr(module, member)]
    if len(kinds) == 1:
        return kinds == [kind]
    names = " nor ".join(f"`{member}`" for member in sorted(members.values()))
    ways = " or ".join(f"`{members[name]}` to be a {name}" for name in sorted(members))
    problem = f"it is both a {' and a '.join(sorted(kinds))}" if kinds else f"it defines neither {names}"
    raise InvalidInput(_file_of(module), problem, f"define {ways}, or start the file name with _")


def _imported(modules: Mapping[str, str], kind: str, member: str) -> Registry:
    """The components in some modules, given as a mapping from names to dotted paths."""
    found: dict[str, Component] = {}
    skipped: dict[str, str] = {}
    for name, path in modules.items():
        try:
            found[name] = _component(name, importlib.import_module(path), kind, member)
        except ModuleNotFoundError as error:
            skipped[name] = f"it needs the package {error.name}, which is not installed"
    return Registry(kind, found, skipped)


def _component(name: str, module: ModuleType, kind: str, member: str) -> Component:
    if not hasattr(module, member):
        raise InvalidInput(
            _file_of(module), f"a {kind} needs a public `{member}`", "define it, or start the file name with _"
        )
    found = getattr(module, member)
    lines = (module.__doc__ or getattr(found, "__doc__", None) or "").strip().splitlines()
    summary = lines[0] if lines else f"in {_file_of(module).name}; the first line of its docstring would be here"
    return Component(name, found, summary, _file_of(module), module)


def _file_of(module: ModuleType) -> Path:
    return Path(str(module.__file__))
