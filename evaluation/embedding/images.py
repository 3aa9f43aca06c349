"""Decodes image files strictly: a file that cannot be decoded is an error with its reason, never a blank image.

The content decides the format (jpg, png, gif, ico, svg); a suffix that does not match only gives a warning. EXIF
orientation is applied. Of a GIF the first frame is used, of an ICO the largest image. Transparent pixels are drawn over
white. An SVG is drawn into a box of 512 × 512. Truncated files and images of more than 50 million pixels are errors.
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
# Possessive quantifiers prevent backtracking, so no content can make these two patterns slow.
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
    """RGB pixels (height, width, 3), the detected format, and a warning if the suffix does not match it (else '')."""

    pixels: Pixels
    format: str
    warning: str = ""

    @property
    def width(self) -> int:
        """The width in pixels, after applying the EXIF orientation."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """The height in pixels, after applying the EXIF orientation."""
        return int(self.pixels.shape[0])


def decode(content: bytes, name: str) -> Picture:
    """The image in a file's bytes. Raises InvalidInput that names the file and the reason."""
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
    raise InvalidInput(name, "the content is not jpg, png, gif, ico or svg", "convert it, or remove it")


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
            name, f"the {kind} is broken ({str(error) or type(error).__name__})", "get the file again"
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
    """The SVG scaled to fit the box, over white. An SVG that refers to other files is refused."""
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise InvalidInput(name, "an SVG needs the extra `svg`", "run `pip install '.[svg]'`") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(name, f"the svg is broken (byte {error.start} is not UTF-8)", "save it as UTF-8") from error
    outside = _REFERENCE.search(text)
    if outside:
        raise InvalidInput(name, f"it refers to another file ({outside[1]!r})", "embed that image in the svg")
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=text, width=SVG_BOX, height=SVG_BOX, background="#ffffff", skip_system_fonts=True
        )
    except ValueError as error:
        raise InvalidInput(name, f"the svg is broken ({error})", "get the file again") from error
    return _opened(bytes(png), name, "png")


def _refuse_huge(name: str, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise InvalidInput(
            name,
            f"it has {width} × {height} pixels, more than {MOST_PIXELS} (decompression bomb)",
            "check where the file comes from",
        )
