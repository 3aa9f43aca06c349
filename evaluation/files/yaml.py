"""A YAML reader that keeps line numbers, so that errors can be located."""

from pathlib import Path
from typing import Any

import yaml

from cleaning.errors import InvalidInput, Place
from evaluation.files.whole import read_text

KeyPath = tuple[int | str, ...]


class LocatedYaml:
    """A YAML mapping: `.data` is plain Python, `.line(keys)` the 1-based line of a key path.

    Raises InvalidInput for text that is not YAML, is not a mapping, or repeats a key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        text = read_text(path, limit=10_000_000)
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            if self._root is not None:
                self._refuse_repeated_keys(self._root, ())
            self.data: Any = yaml.safe_load(text)
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
            for key, value in node.value:
                if key.value == str(step):
                    return key.start_mark.line + 1, value
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step].start_mark.line + 1, node.value[step]
        return None

    def _refuse_repeated_keys(self, node: Any, keys: KeyPath) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    where = Place(self.path, line=key.start_mark.line + 1)
                    raise InvalidInput(where, f"the key {key.value!r} appears twice", "keep one of them")
                seen.add(key.value)
                self._refuse_repeated_keys(value, (*keys, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._refuse_repeated_keys(value, (*keys, number))
