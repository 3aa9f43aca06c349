"""What the headers of WebP, BMP and TIFF files say, read where Pillow looks too late or not at all."""

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_STRIPS, _TILES = (273, 279), (324, 325)
"""The TIFF tags with the places and the lengths of the parts of a picture."""
_TILE_SIDES = (322, 323)


def is_webp(content: bytes) -> bool:
    """Whether the content starts as a WebP file."""
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def is_bmp(content: bytes) -> bool:
    """Whether the content starts as a BMP file: two letters, and a header of a known length."""
    return content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADERS


def webp_size(content: bytes) -> tuple[int, int]:
    """Width and height of a WebP file, for which its decoder allocates memory as soon as it is opened.

    Raises ValueError for a file that ends early, struct.error for less than a header.
    https://developers.google.com/speed/webp/docs/riff_container
    """
    kind, start = content[12:16], 20
    (length,) = struct.unpack_from("<I", content, 4)
    if len(content) < length + 8:
        raise ValueError(f"it ends after {len(content)} of {length + 8} bytes")
    if kind == b"VP8X":
        wide, high = (int.from_bytes(content[at : at + 3], "little") for at in (start + 4, start + 7))
        return wide + 1, high + 1
    if kind == b"VP8L":
        (sides,) = struct.unpack_from("<I", content, start + 1)
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    wide, high = struct.unpack_from("<HH", content, start + 6)
    return wide & 0x3FFF, high & 0x3FFF


def tile_size(image: "TiffImageFile") -> tuple[int, int]:
    """Width and height of the tiles of a TIFF file, for which its decoder allocates memory; 1 × 1 without tiles."""
    wide, high = (image.tag_v2.get(tag, 1) for tag in _TILE_SIDES)
    return int(wide), int(high)


def refuse_gaps(image: "TiffImageFile", length: int) -> None:
    """Raises ValueError for a TIFF file of this length whose parts do not cover the picture or reach beyond its end."""
    for places, lengths in (_STRIPS, _TILES):
        parts = zip(image.tag_v2.get(places, ()), image.tag_v2.get(lengths, ()), strict=False)
        if any(place + size > length for place, size in parts):
            raise ValueError("it ends early")
    boxes = [tile[1] or (0, 0, 0, 0) for tile in image.tile]
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in boxes)
    layers = len(image.getbands()) if image.tag_v2.get(284, 1) == 2 and image.tile[0][0] != "libtiff" else 1
    if covered < image.width * image.height * layers:
        raise ValueError("parts of the picture are missing")
