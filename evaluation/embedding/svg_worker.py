"""Draws one SVG: bytes on standard input, one line of JSON and a PNG on standard output. `svg.py` runs this file.

It runs in a process of its own, because a drawing can crash the renderer, take forever or fill the memory. The XML is
parsed and written out again without its DTD, its entities and every reference that leaves the file, so the renderer
gets nothing that could name a file; where the kernel has Landlock, it could not open one either. This file imports only
the standard library and the renderer.
"""

import ctypes
import json
import os
import re
import resource
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from typing import Any
from xml.parsers import expat

DEEPEST = 5_000
_LONGEST = 64_000_000
_STACK = 512 << 20
_LONGEST_LOG = 64 << 20
_SLANTED = {"Sans": "Oblique", "Serif": "Italic", "SansMono": "Oblique"}
_DRAWN = (
    *("image", "feimage", "use", "pattern", "lineargradient", "radialgradient", "textpath", "tref"),
    *("filter", "mask", "clippath", "marker"),
)
"""The elements that refer to another one with href."""
_URL = re.compile(r"url\(\s*+[\"']?+\s*+(?!#|data:)([^\"')]*)", re.IGNORECASE)
_CREATE = 444
"""The system call landlock_create_ruleset, the same on every processor; two more follow it."""
_SPACES = str.maketrans({space: f"&#{ord(space)};" for space in "\n\r\t"})
"""Written as they are, these would be read again as blanks in an attribute."""
_LOG = re.compile(r"(?:Warning|Error) \(in [^)]*\): (.*)")


class Refused(Exception):
    """The SVG cannot be drawn. kind: `broken` or `outside` (it refers to another file)."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(reason)


class Cleaned:
    """The XML of an SVG, parsed and written out again.

    text: what the renderer gets. has_text: whether it may need fonts. gaps: what is known not to be drawn. Raises
    Refused for XML that is broken, nested too deeply or too long, and for references to other files.
    """

    def __init__(self, content: bytes) -> None:
        self.has_text, self.gaps = False, list[str]()
        self._parts, self._open, self._length = list[str](), list[str](), 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.ExternalEntityRefHandler = self._outside
        parser.ProcessingInstructionHandler = self._instruction
        parser.SkippedEntityHandler = self._skipped
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise Refused("broken", str(error)) from None
        except (LookupError, ValueError) as error:
            raise Refused("broken", f"its encoding cannot be read: {error}") from None
        self.text = "".join(self._parts)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "foreignobject" and not {"switch", "foreignobject"} & set(map(_local, self._open)):
            self.gaps.append("a foreignObject")
        self.has_text |= local == "text"
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise Refused("broken", f"its elements are nested more than {DEEPEST} deep")
        kept = [f' {key}="{escape(value).translate(_SPACES)}"' for key, value in _inside(local, attributes).items()]
        self._write(f"<{name}{''.join(kept)}>")

    def _end(self, name: str) -> None:
        self._open.pop()
        self._write(f"</{name}>")

    def _characters(self, text: str) -> None:
        self._write(escape(text, quote=False))

    def _outside(self, _context: str, _base: str | None, place: str | None, _public: str | None) -> int:
        raise Refused("outside", str(place))

    def _instruction(self, target: str, _data: str) -> None:
        if target == "xml-stylesheet":
            self.gaps.append("an xml-stylesheet")

    def _skipped(self, name: str, _parameter: int) -> None:
        self.gaps.append(f"the entity &{name};")

    def _write(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
        if self._length > _LONGEST:
            raise Refused("broken", f"its text has more than {_LONGEST} characters")


def _inside(local: str, attributes: dict[str, str]) -> dict[str, str]:
    """The attributes without references that nothing draws. Raises Refused for one that would be drawn."""
    kept = {}
    for key, value in attributes.items():
        found = _URL.search(value)
        if found:
            raise Refused("outside", found[1])
        if _local(key) == "href":
            value = value.strip()
            if value and not value.startswith(("#", "data:")):
                if local in _DRAWN:
                    raise Refused("outside", value)
                continue
        kept[key] = value
    return kept


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _fonts(folder: str) -> list[str]:
    """The font files that texts are drawn with: they come with matplotlib, so they are the same on every machine."""
    styles = {face: ("", "-Bold", f"-{slant}", f"-Bold{slant}") for face, slant in _SLANTED.items()}
    return [f"{folder}/DejaVu{face}{style}.ttf" for face, own in styles.items() for style in own]


def _render(cleaned: Cleaned, folder: str, box: int) -> bytes:
    """The PNG, transparent where nothing is drawn. Raises Refused."""
    import resvg_py

    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=cleaned.text,
                width=box,
                height=box,
                dpi=96,
                languages=["en"],
                skip_system_fonts=True,
                font_files=_fonts(folder) if cleaned.has_text else [],
                log_information=True,
                font_family="DejaVu Serif",
                serif_family="DejaVu Serif",
                sans_serif_family="DejaVu Sans",
                cursive_family="DejaVu Sans",
                fantasy_family="DejaVu Sans",
                monospace_family="DejaVu Sans Mono",
            )
        )
    except ValueError as error:
        raise Refused("broken", str(error)) from None


def _limit(memory: int, seconds: int) -> None:
    """Ends this process when it takes more memory or processor time, writes a core dump, or logs without end."""
    most = {resource.RLIMIT_AS: memory + _STACK, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _LONGEST_LOG}
    for what, value in most.items():
        with suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(what, (value, value))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def has_landlock() -> bool:
    """Whether the kernel lets a process give up its access to files. https://docs.kernel.org/userspace-api/landlock.html"""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).syscall(_CREATE, None, ctypes.c_size_t(0), 1) > 0)


def close_files(folder: str) -> None:
    """From here on this process can open files in the folder only; does nothing where there is no Landlock."""
    if not has_landlock():
        return
    libc = ctypes.CDLL(None)
    everything, read = 0x1FFF, 0x4 | 0x8
    rules = libc.syscall(_CREATE, struct.pack("=Q", everything), ctypes.c_size_t(8), 0)
    place = os.open(folder, os.O_PATH)
    libc.syscall(_CREATE + 1, rules, 1, struct.pack("=Qi", read, place), 0)
    libc.prctl(38, 1, 0, 0, 0)
    libc.syscall(_CREATE + 2, rules, 0)
    os.close(place)
    os.close(rules)


@contextmanager
def _told(answer: dict[str, Any]) -> Iterator[None]:
    """Turns what the block raises into an answer."""
    try:
        yield
    except Refused as refused:
        answer["refused"] = [refused.kind, refused.reason]
    except MemoryError:
        os.abort()
    except BaseException as error:  # a panic of the renderer is not an Exception
        answer["refused"] = ["broken", f"the renderer gave up: {error}"]


def _temporary_file() -> int:
    import tempfile  # takes longer to import than most drawings to draw

    return os.dup(tempfile.TemporaryFile().fileno())


def main(folder: str, box: int, memory: int, seconds: int) -> None:
    """Answers the one request."""
    content = sys.stdin.buffer.read()
    answer: dict[str, Any] = {}
    png = b""
    # the renderer logs to descriptor 1, and nowhere else
    out = os.dup(1)
    log = os.memfd_create("log") if sys.platform == "linux" else _temporary_file()
    os.dup2(log, 1)
    _limit(memory, seconds)

    def work() -> None:
        nonlocal png
        with _told(answer):
            png = _render(cleaned, folder, box)
            answer["gaps"] = cleaned.gaps

    with _told(answer):
        cleaned = Cleaned(content)
        import resvg_py  # noqa: F401 - while files can still be opened

        close_files(folder)
        # deep drawings need a deep stack
        threading.stack_size(_STACK)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    if not answer:
        os.abort()
    lines = os.pread(log, 1_000_000, 0).decode(errors="replace").splitlines()
    told = [_LOG.match(line) for line in lines]
    answer["gaps"] = list(dict.fromkeys([*answer.get("gaps", []), *(line[1].rstrip(".") for line in told if line)]))
    with os.fdopen(out, "wb") as stream:
        stream.write(json.dumps(answer).encode() + b"\n" + png)


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    main(sys.argv[2], *map(int, sys.argv[3:]))
