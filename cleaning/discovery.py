"""Components found by folder: every public module of a package is one component, and nothing keeps a list."""

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from cleaning.errors import InvalidInput, Place


@dataclass(frozen=True)
class Component:
    """One discovered module. `member` is the function or object the kind asks for (`rank`, `TASK`, `Learner`).

    `bound` is the module's `rank_with_truth`, for a ranker that is none: a bound that reads the true labels.
    """

    name: str
    member: Any
    summary: str
    origin: Path
    module: ModuleType
    bound: Any = None


@dataclass(frozen=True)
class Registry(Mapping[str, Component]):
    """Components of one kind by name, in alphabetical order; `skipped` says why some could not be loaded."""

    kind: str
    components: Mapping[str, Component]
    skipped: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Component:
        try:
            return self.components[name]
        except KeyError:
            raise InvalidInput(
                f"{self.kind} {name!r}", f"there is no such {self.kind}", nearest(name, self.components)
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.components))

    def __len__(self) -> int:
        return len(self.components)

    def __contains__(self, name: object) -> bool:
        return name in self.components

    def joined(self, other: "Registry") -> "Registry":
        """Both registries as one; a name in both is an error."""
        for name in sorted(set(self.components) & set(other.components)):
            raise InvalidInput(
                other.components[name].origin,
                f"the name {name!r} is already taken by the {self.kind} in {self.components[name].origin}",
                "rename the file",
            )
        return Registry(self.kind, {**self.components, **other.components}, self.skipped + other.skipped)


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean …? known: …`, for an unknown name."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}known: {', '.join(names) or 'none'}"


def discover(package: ModuleType, kind: str, member: str, *, beside: Mapping[str, str] | None = None) -> Registry:
    """Every public module of an imported package that can be imported and has the member, once.

    `beside` names the kinds that live in the same package and their members: a module with one of those is theirs.
    A module whose optional import is missing is skipped, with the missing package named in `skipped`.
    Raises InvalidInput for a public module that is of no kind, or of two.
    """
    found: dict[str, Component] = {}
    skipped: list[str] = []
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        try:
            module = importlib.import_module(f"{package.__name__}.{info.name}")
        except ModuleNotFoundError as error:
            skipped.append(f"{kind} {info.name}: needs the package {error.name}, which is not installed")
            continue
        if _is_of_kind(module, {kind: member, **(beside or {})}, kind):
            found[info.name] = _component(info.name, module, member)
    return Registry(kind, found, tuple(skipped))


def discover_folder(folder: Path, kind: str, member: str, *, beside: Mapping[str, str] | None = None) -> Registry:
    """Every public .py file of a user's folder that has the member. Importing runs the file: only for code the user
    put there.

    Raises InvalidInput for a file that fails to import, with the line that failed, and as `discover` does.
    """
    found: dict[str, Component] = {}
    for path in sorted(folder.glob("*.py")) if folder.is_dir() else []:
        if not path.name.startswith("_"):
            module = _import_file(path, kind)
            if _is_of_kind(module, {kind: member, **(beside or {})}, kind):
                found[path.stem] = _component(path.stem, module, member)
    return Registry(kind, found)


def failing_line(error: BaseException, path: Path) -> Place:
    """The line of the deepest frame of an error inside a file, or the file alone."""
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
            failing_line(error, path), f"the {kind} cannot be imported ({type(error).__name__}: {error})"
        ) from error
    return module


def _is_of_kind(module: ModuleType, members: Mapping[str, str], kind: str) -> bool:
    """Whether the module has the member of `kind` rather than that of another one."""
    kinds = [name for name, member in members.items() if hasattr(module, member)]
    if len(kinds) == 1:
        return kinds == [kind]
    ways = " or ".join(f"`{member}` to be a {name}" for name, member in members.items())
    problem = f"it is both {' and '.join(kinds)}" if kinds else f"a {kind} needs a public `{members[kind]}`"
    raise InvalidInput(_file_of(module), problem, f"define {ways}, or start the name with _")


def _component(name: str, module: ModuleType, member: str) -> Component:
    summary = (module.__doc__ or "").strip().splitlines()
    description = summary[0] if summary else "(no description)"
    bound = getattr(module, "rank_with_truth", None)
    return Component(name, getattr(module, member), description, _file_of(module), module, bound)


def _file_of(module: ModuleType) -> Path:
    return Path(str(module.__file__))
