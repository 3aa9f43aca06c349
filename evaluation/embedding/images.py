"""Image files decoded strictly: what cannot be decoded is an error with its reason, never a blank picture.

The content decides the format (jpg, png, gif, ico, svg), the suffix is only compared with it. EXIF orientation is
applied, a GIF is its first frame, an ICO its largest picture, transparency lies over white, an SVG is drawn into a box
of 512 × 512. Truncated files and more than 50 million pixels are errors.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

MOST_PIXELS = 50_000_000
SVG_BOX = 512

_MAGIC = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x01\x00", "ico"),
)
# Possessive throughout: no content, however odd, makes these two slow.
_SVG = re.compile(rb"(?>\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:\w+:)?svg[\s>/]", re.DOTALL)
_REFERENCE = re.compile(
    r"<(?:\w{1,40}:)?(?:image|feImage|use)\b[^<]*?href\s*=\s*[\"']\s*+(?!#|data:)([^\"'<>]{0,60})", re.IGNORECASE
)
_SUFFIXES = {"jpg": (".jpg", ".jpeg", ".jpe", ".jfif"), "png": (".png",), "gif": (".gif",), "ico": (".ico",)}
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Picture:
    """RGB pixels (height, width, 3), the format found, and a warning where the suffix says otherwise ('' if not)."""

    pixels: Pixels
    format: str
    warning: str = ""

    @property
    def width(self) -> int:
        """In pixels, after EXIF orientation."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels, after EXIF orientation."""
        return int(self.pixels.shape[0])


def decode(content: bytes, name: str) -> Picture:
    """The picture in a file's bytes. Raises InvalidInput that names the file and the reason."""
    kind = _sniffed(content, name)
    pixels = _drawn(content, name) if kind == "svg" else _opened(content, name, kind)
    suffix = PurePath(name).suffix.lower()
    expected = _SUFFIXES.get(kind, (".svg",))
    warning = "" if suffix in expected else f"{name}: the content is {kind}, the suffix {suffix or 'missing'}"
    return Picture(pixels, kind, warning)


def _sniffed(content: bytes, name: str) -> str:
    if not content:
        raise InvalidInput(name, "the file is empty", "get the file again")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if _SVG.match(content[:65_536].removeprefix(b"\xef\xbb\xbf")):
        return "svg"
    raise InvalidInput(name, "the content is no jpg, png, gif, ico or svg", "convert it, or take it out of the folder")


def _opened(content: bytes, name: str, kind: str) -> Pixels:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=[{"jpg": "JPEG"}.get(kind, kind.upper())]) as image:
            _refuse_huge(name, *image.size)
            image.load()
            return np.asarray(_over_white(ImageOps.exif_transpose(image)))
    except InvalidInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(name, f"decompression bomb ({error})", "check where the file comes from") from error
    except _BROKEN as error:
        raise InvalidInput(
            name, f"a broken {kind} ({str(error) or type(error).__name__})", "get the file again"
        ) from error


def _over_white(image: "Image") -> "Image":
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I") else max(float(values.max()), 1.0)
        return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _drawn(content: bytes, name: str) -> Pixels:
    """An SVG fitted into the box, over white. It must stand alone: one that would read other files is refused."""
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise InvalidInput(name, "an SVG needs the extra `svg`", "pip install '.[svg]'") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(name, f"a broken svg (byte {error.start} is not UTF-8)", "save it as UTF-8") from error
    outside = _REFERENCE.search(text)
    if outside:
        raise InvalidInput(name, f"it refers to another file ({outside[1]!r})", "put that picture inside the svg")
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=text, width=SVG_BOX, height=SVG_BOX, background="#ffffff", skip_system_fonts=True
        )
    except ValueError as error:
        raise InvalidInput(name, f"a broken svg ({error})", "get the file again") from error
    return _opened(bytes(png), name, "png")


def _refuse_huge(name: str, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise InvalidInput(
            name,
            f"{width} × {height} pixels, more than {MOST_PIXELS} (decompression bomb)",
            "check where it comes from",
        )
