"""SVG drawings: told apart from other XML, and drawn in a worker process with a clock and a limit on its memory."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from cleaning.errors import InvalidInput, first_three
from evaluation.embedding import svg_worker

LARGEST = 32 * 1024**2
"""The most bytes of an SVG file."""

_MEMORY = 1024**3
_SECONDS = 20
"""What drawing one SVG may take: bytes of memory, and seconds of processor time."""

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Drawing(NamedTuple):
    """A PNG, transparent where nothing is drawn, and what the renderer says it could not draw (else '')."""

    png: bytes
    gaps: str


class _Root(Exception):
    """Carries the name of the first element out of the parser."""


def is_svg(content: bytes) -> bool:
    """Whether the content is XML whose first element is svg, in any encoding, or looks like a damaged file of it."""
    if not content.lstrip(b"".join(_MARKS) + b"\0 \t\r\n").startswith(b"<"):
        return False
    parser = expat.ParserCreate()
    parser.StartElementHandler = _stop
    try:
        parser.Parse(content[:LARGEST], True)
    except _Root as root:
        return str(root).rpartition(":")[2] == "svg"
    except (expat.ExpatError, LookupError, ValueError):
        plain = content.replace(b"\0", b"")
        return b"<svg" in plain or b":svg" in plain
    return False


def draw(content: bytes, name: str, box: int, memory: int = _MEMORY, seconds: int = _SECONDS) -> Drawing:
    """The SVG, scaled to fit into a square of side `box`. Raises InvalidInput that names the file and the reason."""
    if len(content) > LARGEST:
        raise InvalidInput(name, f"the svg has {len(content)} bytes, more than {LARGEST}", "simplify the drawing")
    renderer, plots = find_spec("resvg_py"), find_spec("matplotlib")
    if renderer is None or renderer.origin is None:
        raise InvalidInput(name, "an SVG needs the extra `svg`", "run `pip install '.[svg]'`")
    if plots is None or plots.origin is None:  # pragma: no cover - a package that is always installed
        raise AssertionError
    fonts = Path(plots.origin).parent / "mpl-data" / "fonts" / "ttf"
    # -I and -S: no startup file and no variable of the user's changes what the worker does
    command = [sys.executable, "-I", "-S", svg_worker.__file__, str(Path(renderer.origin).parent.parent), str(fonts)]
    limits = [str(box), str(memory), str(seconds)]
    done = subprocess.run([*command, *limits], input=content, capture_output=True, process_group=0, check=False)
    if done.returncode:
        raise InvalidInput(name, _ending(done, memory, seconds), "simplify the drawing, or leave it out")
    head, _, png = done.stdout.partition(b"\n")
    answer: dict[str, Any] = json.loads(head)
    if "refused" in answer:
        kind, reason = answer["refused"]
        if kind == "outside":
            raise InvalidInput(name, f"it refers to another file ({reason!r})", "embed that image in the svg")
        raise InvalidInput(name, f"the svg is broken ({reason})", "get the file again")
    return Drawing(png, f"some of it is not drawn ({first_three(answer['gaps'])})" if answer["gaps"] else "")


def _stop(name: str, _: dict[str, str]) -> None:
    raise _Root(name)


def _ending(done: subprocess.CompletedProcess[bytes], memory: int, seconds: int) -> str:
    if done.returncode == -signal.SIGPROF:
        return f"drawing the svg takes more than {seconds} s"
    if done.returncode == -signal.SIGABRT:
        return f"drawing the svg takes more than {memory >> 20} MiB of memory"
    how = f"exit status {done.returncode}"
    with suppress(ValueError):
        how = signal.Signals(-done.returncode).name
    return f"the renderer crashed on the svg ({how})"
