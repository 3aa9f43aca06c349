"""Decodes image files strictly: a file that cannot be decoded is an error with its reason, never a blank image.

The content decides the format (jpg, png, gif, webp, bmp, tiff, ico, svg); a suffix that does not match only gives a
warning. EXIF orientation is applied. Of a GIF or WebP the first frame is used, of a TIFF the first page, of an ICO the
largest image. Transparent pixels are drawn over white, and more than 8 bits are rounded to 8. An SVG is drawn into a
box of 512 × 512. Truncated files and images of more than 50 million pixels are errors.
"""

import io
import logging
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, foreign_reason
from evaluation.embedding.headers import is_bmp, is_webp, refuse_gaps, tile_size, webp_size
from evaluation.embedding.svg import draw, is_svg

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.TiffImagePlugin import TiffImageFile

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs about a file is in its error as well

Pixels = NDArray[np.uint8]

_MOST_PIXELS = 50_000_000
SVG_BOX = 512
_FORMATS = "jpg, png, gif, webp, bmp, tiff, ico or svg"
DECODER = "pictures/2"
"""Changes with anything that changes the pixels of a file."""

_MAGIC = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
)
_SUFFIXES = {
    "jpg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "gif": (".gif",),
    "webp": (".webp",),
    "bmp": (".bmp", ".dib"),
    "tiff": (".tif", ".tiff"),
    "ico": (".ico",),
}
_GREY = "fixfirst_grey"
"""In the info of a TIFF: the largest grey value of deep ones, and whether 0 is white."""
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
    """RGB pixels (height, width, 3), the detected format, and a warning about the file that names it (else '')."""

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
    kind, png, notes = _sniffed(content, name), content, list[str]()
    suffix = PurePath(name).suffix.lower()
    if suffix not in _SUFFIXES.get(kind, (".svg",)):
        notes.append(f"the content is {kind}, the suffix {suffix or 'missing'}")
    if kind == "svg":
        png, gaps = draw(content, name, SVG_BOX)
        notes += [gaps] if gaps else []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pixels = _opened(png, name, "png" if kind == "svg" else kind)
    notes += dict.fromkeys(foreign_reason(warning.message) for warning in told)
    return Picture(pixels, kind, f"{name}: {'; '.join(notes)}" if notes else "")


def _sniffed(content: bytes, name: str) -> str:
    if not content:
        raise InvalidInput(name, "the file is empty", "get the file again")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    for is_kind, kind in ((is_webp, "webp"), (is_bmp, "bmp"), (is_svg, "svg")):
        if is_kind(content):
            return kind
    raise InvalidInput(name, f"the content is not {_FORMATS}", "convert it, or remove it")


def _opened(content: bytes, name: str, kind: str) -> Pixels:
    from PIL import Image, ImageOps, UnidentifiedImageError
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        if kind == "webp":
            _refuse_huge(name, *webp_size(content))
        with Image.open(io.BytesIO(content), formats=[{"jpg": "JPEG"}.get(kind, kind.upper())]) as image:
            _refuse_huge(name, *image.size)
            if isinstance(image, TiffImageFile):
                _look_into(image, name, len(content))
            image.load()
            _refuse_huge(name, *image.size)
            depth = content[24] if kind == "png" else 8
            return np.asarray(_over_white(ImageOps.exif_transpose(image), depth))
    except InvalidInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(
            name, f"decompression bomb ({foreign_reason(error)})", "check where the file comes from"
        ) from error
    except UnidentifiedImageError as error:
        raise InvalidInput(name, f"the {kind} is broken (its header cannot be read)", "get the file again") from error
    except _BROKEN as error:
        raise InvalidInput(name, f"the {kind} is broken ({foreign_reason(error)})", "get the file again") from error


def _over_white(image: "Image", depth: int) -> "Image":
    """The image in RGB. depth: the bits of a grey value in the file, in which a PNG gives the transparent one."""
    from PIL import Image

    clear = image.info.get("transparency")
    if image.mode.startswith(("I", "F")):
        values, (top, white) = np.asarray(image), image.info.get(_GREY, (65535, False))
        grey = _eight_bits(values, top)
        grey = 255 - grey if white else grey
        return Image.fromarray(np.where(values == clear, np.uint8(255), grey)).convert("RGB")
    if image.mode in ("1", "L") and isinstance(clear, int):
        shown = clear * 255 // (2 ** min(depth, 8) - 1)
        values = np.asarray(image.convert("L"))
        return Image.fromarray(np.where(values == shown, np.uint8(255), values)).convert("RGB")
    if isinstance(clear, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in clear)  # as Pillow makes 8 bits of 16
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(values: NDArray[Any], top: int) -> Pixels:
    """Grey values rounded to 8 bits: from 0 to `top` (floating-point ones: to 1), or all there are if some are outside.

    Raises ValueError for NaN and infinity.
    """
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise ValueError("it holds NaN or infinity")
        top = 1
    low, high = min(float(values.min()), 0.0), max(float(values.max()), float(top))
    if (low, high) == (0, top) and values.dtype.kind != "f":
        return np.asarray((values.astype(np.uint32) * 255 + top // 2) // top, dtype=np.uint8)
    return np.asarray(np.rint((values - low) / (high - low) * 255), dtype=np.uint8)


def _look_into(image: "TiffImageFile", name: str, length: int) -> None:
    """Checks a TIFF file before it is decoded, warns if only its first page is used, and keeps what its greys mean."""
    _refuse_huge(name, *tile_size(image))
    refuse_gaps(image, length)
    if image.is_animated:
        warnings.warn("it has several pages, of which the first is used", stacklevel=2)
    bits = image.tag_v2.get(258, (16,))[0]
    image.info[_GREY] = 2 ** min(bits, 16) - 1, image.tag_v2.get(262) == 0


def _refuse_huge(name: str, width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise InvalidInput(
            name,
            f"it has {width} × {height} pixels, more than {_MOST_PIXELS} (decompression bomb)",
            "check where the file comes from",
        )
