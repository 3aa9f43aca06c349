import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from cleaning import InvalidInput
from evaluation.embedding import images
from evaluation.embedding.headers import webp_size
from evaluation.embedding.images import decode

STARTS = [
    b"<svg ",
    b"",
    b"BM" + bytes(12) + b"\x28\0\0\0",
    *(b"RIFF\0\0\0\0WEBP" + kind for kind in (b"VP8 ", b"VP8L", b"VP8X")),
]
RED, BLUE = (255, 0, 0), (0, 0, 255)
MORE = [("WEBP", "webp"), ("BMP", "bmp"), ("TIFF", "tiff")]
COMPRESSIONS = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def block(mode="RGB", size=(12, 8), colour=RED):
    return Image.new(mode, size, colour)


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), *MORE])
def test_each_format_gives_rgb_pixels_of_its_size(kind, suffix):
    picture = decode(saved(block(), kind), f"a.{suffix}")
    assert (picture.format, picture.width, picture.height, picture.warning) == (suffix, 12, 8, "")
    assert np.abs(picture.pixels.astype(int) - RED).max() < 4


def test_the_content_decides_and_a_wrong_suffix_is_only_a_warning():
    picture = decode(saved(block(), "PNG"), "photo.jpeg")
    assert picture.format == "png"
    assert picture.warning == "photo.jpeg: the content is png, the suffix .jpeg"
    assert decode(saved(block(), "JPEG"), "photo.JPEG").warning == ""
    assert "missing" in decode(saved(block(), "PNG"), "photo").warning


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(saved(block(), "JPEG", exif=exif), "a.jpg")
    assert (picture.width, picture.height) == (8, 12)


def test_a_gif_is_its_first_frame():
    content = saved(block(), "GIF", save_all=True, append_images=[block(colour=BLUE)])
    assert decode(content, "a.gif").pixels[0, 0].tolist() == list(RED)


def test_an_ico_is_its_largest_picture():
    content = saved(block(size=(64, 64)), "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    assert decode(content, "a.ico").pixels.shape == (64, 64, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_over_white(mode):
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    pixels = decode(saved(image.convert(mode) if mode != "P" else image.quantize(4), "PNG"), "a.png").pixels
    assert pixels[3, 3].tolist() == [255, 255, 255]
    assert pixels[0, 0].tolist() == [0, 0, 0]


def test_a_half_transparent_pixel_is_mixed_with_white():
    pixels = decode(saved(Image.new("RGBA", (1, 1), (255, 0, 0, 128)), "PNG"), "a.png").pixels
    assert pixels[0, 0].tolist() == [255, 127, 127]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth, kind, row, width, transparent=b""):
    """One line of pixels, as any PNG writer may store them."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, kind, 0, 0, 0))]
    parts += [(b"tRNS", transparent)] if transparent else []
    parts += [(b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


def test_cmyk_and_bilevel_are_converted():
    assert decode(saved(Image.new("1", (2, 2), 1), "PNG"), "a.png").pixels.min() == 255
    inks = decode(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), "a.jpg").pixels
    assert np.abs(inks[0, 0].astype(int) - RED).max() <= 2


def test_sixteen_bit_grey_is_rounded():
    values = np.arange(0, 65536, 7, dtype=np.uint16)
    pixels = decode(png(16, 0, values.astype(">u2").tobytes(), len(values)), "a.png").pixels
    assert np.array_equal(pixels[0, :, 0], np.rint(values / 257).astype(np.uint8))


@pytest.mark.parametrize("level", [0, 1, "last"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_value_is_white_at_every_depth(depth, level):
    top = 2**depth - 1
    clear = top if level == "last" else level
    levels = np.array([0, 1, top // 2, top], dtype=np.int64)
    bits = (levels[:, None] >> np.arange(depth)[::-1]) & 1
    row = np.packbits(bits.astype(np.uint8).ravel()).tobytes()
    pixels = decode(png(depth, 0, row, len(levels), struct.pack(">H", clear)), "a.png").pixels[0, :, 0]
    assert pixels.tolist() == np.where(levels == clear, 255, np.rint(levels * 255 / top)).astype(int).tolist()


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_is_white_at_every_depth(depth):
    values = np.array([[3, 90, 0], [0, 90, 3]]) * (1 if depth == 8 else 257)
    row = values.astype(">u1" if depth == 8 else ">u2").tobytes()
    pixels = decode(png(depth, 2, row, 2, values[0].astype(">u2").tobytes()), "a.png").pixels
    assert pixels[0].tolist() == [[255, 255, 255], [0, 90, 3]]


def test_a_warning_of_the_library_names_the_picture_and_does_not_reach_the_screen(monkeypatch, recwarn):
    load = PngImageFile.load

    def odd(self):
        warnings.warn("odd\n  data in <x object at 0x7f00>", UserWarning, stacklevel=2)
        return load(self)

    monkeypatch.setattr(PngImageFile, "load", odd)
    assert decode(saved(block(), "PNG"), "a.png").warning == "a.png: odd data in x"
    assert not recwarn


def test_a_reason_holds_no_memory_address():
    broken = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0) + b"x" * 44
    with pytest.raises(InvalidInput, match=r"the png is broken \(its header cannot be read\)"):
        decode(broken, "a.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x: the file is empty"),
        (b"hello there", "x: the content is not jpg, png, gif, webp, bmp, tiff, ico or svg"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "x: the content is no"),
        (b"BMW and Audi are car makers", "x: the content is no"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "x: the webp is broken"),
        (b"RIFF\xff\x00\x00\x00WEBPVP8 ", "x: the webp is broken .it ends after 16 of 263 bytes"),
        (b"BM" + bytes(12) + b"\x28" + bytes(3), "x: the bmp is broken"),
        (b"II*\x00\xff\xff\x00\x00", "x: the tiff is broken"),
        (b"MM\x00+", "x: the tiff is broken"),
        (b"<html><svg></svg></html>", "x: the content is no"),
        (b"\xff\xd8\xff\xe0 and no more", "x: the jpg is broken"),
        (b"\x89PNG\r\n\x1a\n", "x: the png is broken"),
        (b"GIF89a", "x: the gif is broken"),
        (b"\x00\x00\x01\x00\x01\x00", "x: the ico is broken"),
        (b"\x00\x00\x01\x00\x00\x00", "x: the ico is broken"),
    ],
)
def test_what_is_no_picture_is_refused_by_name_with_the_reason(content, message):
    with pytest.raises(InvalidInput, match=message):
        decode(content, "x")


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("ICO", "ico"), *MORE])
def test_a_truncated_picture_is_an_error_and_never_half_a_picture(kind, suffix):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = saved(noise, kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(InvalidInput, match=rf"the {suffix} is broken"):
            decode(content[: int(len(content) * share)], f"a.{suffix}")


@given(st.binary(max_size=200), st.sampled_from([magic for magic, _ in images._MAGIC] + STARTS))
def test_any_bytes_end_in_a_picture_or_in_one_clear_error(tail, magic):
    try:
        found = decode(magic + tail, "any").pixels.ndim
    except InvalidInput as error:
        found = error.place.key
    assert found in (3, "any")


@pytest.mark.parametrize("part", [b" ", b"<!---->", b"<!--", b"<?x?>", b"<!DOCTYPE []", b"<image "])
def test_long_odd_beginnings_are_judged_at_once(part):
    with pytest.raises(InvalidInput, match=r"x: the content is no"):
        decode(part * (60_000 // len(part)), "x")
    with pytest.raises(InvalidInput, match=r"x: the svg is broken|extra `svg`"):
        decode(b"<svg>" + part * (300_000 // len(part)), "x")


def bomb(width, height):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 11_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_unpacks(side):
    with pytest.raises(InvalidInput, match="decompression bomb"):
        decode(bomb(side, side), "bomb.png")


def test_without_the_extra_an_svg_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(InvalidInput, match="an SVG needs the extra `svg`"):
        decode(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg")


@pytest.mark.parametrize("kind", ["WEBP", "TIFF"])
def test_exif_orientation_is_applied_once_in_every_format(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = block()
    image.putpixel((0, 0), BLUE)
    pixels = decode(saved(image, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})), "a").pixels
    assert pixels.shape == (12, 8, 3)
    assert pixels[0, 7].tolist() == list(BLUE)


def test_webp_may_be_lossless_transparent_or_animated():
    half = Image.new("RGBA", (1, 1), (255, 0, 0, 128))
    assert decode(saved(half, "WEBP", lossless=True), "a.webp").pixels[0, 0].tolist() == [255, 127, 127]
    content = saved(block(), "WEBP", lossless=True, save_all=True, append_images=[block(colour=BLUE)])
    assert decode(content, "a.webp").pixels[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": Image.Exif(), "lossless": True}])
def test_the_size_of_a_webp_is_read_from_its_header(options):
    for size in ((1, 1), (300, 17), (16383, 3)):
        content = saved(Image.new("RGBA" if "lossless" in options else "RGB", size), "WEBP", **options)
        assert webp_size(content) == size


def test_a_webp_bomb_is_refused_before_its_canvas_is_made():
    sides = (2**24 - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sides
    with pytest.raises(InvalidInput, match=r"16777216 × 16777216 pixels, more than 50000000 .decompression bomb"):
        decode(b"RIFF" + struct.pack("<I", len(body)) + body, "a.webp")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp_of_every_depth(mode):
    image = Image.new("RGB", (5, 3), (255, 255, 255)).convert(mode)
    image.putpixel((1, 2), 0 if mode != "RGB" else (0, 0, 0))
    pixels = decode(saved(image, "BMP"), "a.bmp").pixels
    assert pixels.shape == (3, 5, 3)
    assert pixels[2, 1].tolist() == [0, 0, 0] if mode != "P" else pixels[2, 1].sum() < 765
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_a_compressed_bmp_that_ends_early_is_an_error():
    palette = bytes(range(256)) * 4
    rows = bytes([4, 7, 0, 0, 4, 9, 0, 1])
    sizes = struct.pack("<IiiHHIIiiII", 40, 4, 2, 1, 8, 1, len(rows), 0, 0, 256, 0)
    start = 14 + len(sizes) + len(palette)
    content = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + sizes + palette + rows
    assert decode(content, "a.bmp").pixels.shape == (2, 4, 3)
    for length in range(start, len(content) - 2):
        with pytest.raises(InvalidInput, match="the bmp is broken"):
            decode(content[:length], "a.bmp")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_tiff_of_every_compression(mode, compression):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).resize((200, 150))
    pixels = decode(saved(noise.convert(mode), "TIFF", compression=compression), "a.tif").pixels
    expected = np.asarray(noise.convert(mode).convert("RGB"), dtype=int)
    assert np.abs(pixels - expected).mean() < (12 if compression == "jpeg" else 1e-9)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_tiff_cut_anywhere_or_with_parts_elsewhere_is_never_half_a_picture(compression):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 64, 3), dtype=np.uint8))
    whole = saved(noise, "TIFF", compression=compression, strip_size=4000)
    expected = decode(whole, "a.tif").pixels
    for share in np.linspace(0.02, 0.99, 25):
        try:
            found = decode(whole[: int(len(whole) * share)], "a.tif").pixels
        except InvalidInput:
            continue
        assert np.array_equal(found, expected), share


def entry(content, tag):
    """Where the entry of a tag lies in a little-endian TIFF."""
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    return next(
        at for at in range(start + 2, start + 2 + 12 * count, 12) if content[at : at + 2] == struct.pack("<H", tag)
    )


def changed(content, tag, value):
    """The TIFF with another value of a tag."""
    at = entry(content, tag)
    return content[: at + 8] + struct.pack("<I", value) + content[at + 12 :]


def test_a_tiff_whose_parts_do_not_cover_it_is_an_error():
    content = saved(block(size=(40, 30)), "TIFF")
    with pytest.raises(InvalidInput, match=r"the tiff is broken .parts of the picture are missing"):
        decode(changed(content, 278, 20), "a.tif")
    with pytest.raises(InvalidInput, match=r"the tiff is broken .it ends early"):
        decode(changed(content, 273, 10_000), "a.tif")


def test_tiff_bombs_are_refused():
    content = saved(block(size=(40, 30)), "TIFF", compression="tiff_lzw")
    with pytest.raises(InvalidInput, match="decompression bomb"):
        decode(changed(changed(content, 256, 60_000), 257, 60_000), "a.tif")
    tiled = saved(block("L", (40, 30), 3), "TIFF", compression="tiff_lzw")
    rows, lengths = entry(tiled, 278), entry(tiled, 279)
    tags = struct.pack("<HHII", 322, 4, 1, 2**20) + struct.pack("<HHII", 323, 4, 1, 2**20)
    assert lengths == rows + 12
    with pytest.raises(InvalidInput, match="1048576 × 1048576 pixels"):
        decode(tiled[:rows] + tags + tiled[lengths + 12 :], "a.tif")


def test_deep_tiffs_keep_their_greys():
    deep = np.array([[0, 257, 65535, 32896]], dtype=np.uint16)
    content = saved(Image.fromarray(deep), "TIFF")
    assert decode(content, "a.tif").pixels[0, :, 0].tolist() == [0, 1, 255, 128]
    assert decode(changed(content, 262, 0), "a.tif").pixels[0, :, 0].tolist() == [255, 254, 0, 127]
    large = np.array([[-1000, 0, 200_000]], dtype=np.int32)
    assert decode(saved(Image.fromarray(large), "TIFF"), "a.tif").pixels[0, :, 0].tolist() == [0, 1, 255]
    shares = np.array([[0, 0.5, 1]], dtype=np.float32)
    assert decode(saved(Image.fromarray(shares), "TIFF"), "a.tif").pixels[0, :, 0].tolist() == [0, 128, 255]
    assert decode(saved(Image.fromarray(shares * 8 - 4), "TIFF"), "a.tif").pixels[0, :, 0].tolist() == [0, 128, 255]
    with pytest.raises(InvalidInput, match="it holds NaN or infinity"):
        decode(saved(Image.fromarray(shares * np.float32("nan")), "TIFF"), "a.tif")


def test_of_a_tiff_of_several_pages_the_first_is_used_and_said_to_be():
    content = saved(block(), "TIFF", save_all=True, append_images=[block(colour=BLUE)])
    picture = decode(content, "a.tiff")
    assert picture.pixels[0, 0].tolist() == list(RED)
    assert picture.warning == "a.tiff: it has several pages, of which the first is used"
    assert decode(saved(block(), "TIFF"), "a.tif").warning == ""
