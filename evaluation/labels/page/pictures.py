"""Pictures as the page shows them: decoded strictly, scaled to a box, and kept in memory for a while."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable

from evaluation.embedding.images import decode

BOXES = {"small": 176, "large": 900}
"""The longest side of a picture in pixels, by what it is for."""

_MOST_BYTES = 96 << 20
# Small pictures are sent without loss.
_LOSSLESS = 200 * 200
_QUALITY = 88
# Decoded at the same time; a large picture takes much memory.
_AT_ONCE = 2


class Scaled:
    """Scaled pictures by name and size. The least recently used are forgotten when they get too many."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._decoding = threading.Semaphore(_AT_ONCE)

    def get(self, name: str, size: str, read: Callable[[], bytes | None]) -> tuple[bytes, str] | None:
        """The encoded picture and its media type; None if there is none. Raises InvalidInput if it is broken."""
        with self._lock:
            if (name, size) in self._kept:
                self._kept.move_to_end((name, size))
                return self._kept[name, size]
        with self._reading:
            content = read()
        if content is None:
            return None
        with self._decoding:
            made = scaled(content, name, BOXES[size])
        with self._lock:
            if (name, size) not in self._kept:
                self._kept[name, size] = made
                self._bytes += len(made[0])
            while self._bytes > _MOST_BYTES and len(self._kept) > 1:
                _, (old, _) = self._kept.popitem(last=False)
                self._bytes -= len(old)
        return made


def scaled(content: bytes, name: str, box: int) -> tuple[bytes, str]:
    """The picture as png or jpeg, at most `box` pixels wide and high. Raises InvalidInput if it cannot be decoded."""
    from PIL import Image

    image = Image.fromarray(decode(content, name).pixels)
    image.thumbnail((box, box), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    if image.width * image.height <= _LOSSLESS:
        image.save(file, "PNG", optimize=True)
        return file.getvalue(), "image/png"
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue(), "image/jpeg"
