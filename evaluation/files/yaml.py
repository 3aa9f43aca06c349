"""A YAML reader that keeps line numbers, so that errors can be located."""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from cleaning.errors import InvalidInput, Place, bounded, foreign_reason
from evaluation.files.whole import read_text

KeyPath = tuple[int | str, ...]


_LARGEST = 1_000_000
_MOST_VALUES = 100_000
"""How many values a file may have when every alias is written out. Two lines of aliases can stand for billions."""


class LocatedYaml:
    """A YAML mapping: `.data` is plain Python, `.line(keys)` the 1-based line of a key path.

    Raises InvalidInput for text that is not YAML, is not a mapping, repeats a key, has a key that is not a plain value,
    a value that cannot be read as its type, or more values than _MOST_VALUES.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        text = read_text(path, limit=_LARGEST)
        try:
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            if self._root is not None:
                self._check(self._root, {})
            self.data: Any = None if self._root is None else loader.construct_document(self._root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = Place(path, line=mark.line + 1) if mark else Place(path)
            problem = getattr(error, "problem", None) or "it cannot be read"
            raise InvalidInput(
                place, f"this is not YAML ({problem})", "check indentation, colons and quotes"
            ) from error
        except RecursionError as error:
            raise InvalidInput(path, "it is nested too deeply", "write plain keys and values") from error
        if not isinstance(self.data, dict):
            raise InvalidInput(path, "there are no `key: value` lines", "start from the parameters.yaml of the project")

    def line(self, keys: KeyPath) -> int:
        """The line of the deepest part of the key path that exists in the file."""
        node, line = self._root, 1
        for step in keys:
            found = self._child(node, step)
            if found is None:
                break
            line, node = found
        return line

    @staticmethod
    def _child(node: Any, step: int | str) -> tuple[int, Any] | None:
        if isinstance(node, yaml.MappingNode):
            for key, value in reversed(node.value):  # what is merged comes first, and does not count beside an own key
                if key.value == str(step):
                    return key.start_mark.line + 1, value
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step].start_mark.line + 1, node.value[step]
        return None

    def _check(self, node: Any, sizes: dict[int, int]) -> int:
        """The number of values below a node. sizes: those of the nodes seen so far; 0 while a node is being counted."""
        if id(node) in sizes:
            if not sizes[id(node)]:
                raise self._wrong(node, "an alias refers to a value that contains it", "write the value out")
            return sizes[id(node)]
        sizes[id(node)] = 0
        size = 1
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            size += sum(self._check(value, sizes) for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            size += sum(self._check(value, sizes) for value in node.value)
        else:
            self._check_value(node)
        if size > _MOST_VALUES:
            raise self._wrong(node, f"there are more than {_MOST_VALUES} values", "write fewer aliases")
        sizes[id(node)] = size
        return size

    def _check_keys(self, mapping: Any) -> None:
        seen: set[str] = set()
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong(key, "a key is a list or a mapping", "write a plain key")
            if key.value in seen:
                raise self._wrong(key, f"the key {key.value!r} appears twice", "keep one of them")
            if key.tag != "tag:yaml.org,2002:merge":
                self._check_value(key)
            seen.add(key.value)

    def _check_value(self, node: Any) -> None:
        """Raises InvalidInput for a value that is not of the type that its form or its tag promises."""
        try:
            SafeConstructor().construct_object(node)
        except yaml.YAMLError:
            raise
        except Exception as error:  # the constructors raise half a dozen types
            reason = f" ({foreign_reason(error)})" if isinstance(error, ValueError) else ""
            problem = f"{bounded(node.value, 40)!r} cannot be read as {node.tag.rpartition(':')[2]}{reason}"
            raise self._wrong(node, problem, "correct it, or put it in quotes") from None

    def _wrong(self, node: Any, problem: str, fix: str) -> InvalidInput:
        return InvalidInput(Place(self.path, line=node.start_mark.line + 1), problem, fix)
