import base64
import struct
import subprocess
import sys
import zlib
from xml.etree import ElementTree

import pytest

from cleaning import InvalidInput
from evaluation.embedding import svg, svg_worker
from evaluation.embedding.images import SVG_BOX, decode

pytest.importorskip("resvg_py", reason="needs the extra `svg`")

SPACE = 'xmlns="http://www.w3.org/2000/svg"'
RED, WHITE = [255, 0, 0], [255, 255, 255]


def drawing(body, root='width="200" height="100"', head=""):
    return f"{head}<svg {SPACE} {root}>{body}</svg>"


def decoded(text, encoding="utf-8"):
    return decode(text.encode(encoding), "a.svg")


def refusal(text):
    with pytest.raises(InvalidInput) as error:
        decoded(text)
    return str(error.value)


def png(colour, side=4):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(colour) * side) * side
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def data(kind, content):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def test_it_is_fitted_into_the_box_over_white():
    text = drawing('<rect width="5" height="20" fill="red"/>', 'width="10" height="20"')
    for one in (text, '<?xml version="1.0"?>\n<!-- x -->\n' + text, "\ufeff" + text):
        picture = decoded(one)
        assert (picture.format, picture.width, picture.height) == ("svg", SVG_BOX // 2, SVG_BOX)
        assert picture.pixels[5, 5].tolist() == RED
        assert picture.pixels[5, -5].tolist() == WHITE


def test_a_huge_canvas_costs_no_more_than_the_box():
    assert decoded(drawing("", 'width="10" height="4000000"')).height == SVG_BOX


@pytest.mark.parametrize("unit", ["", "px", "mm", "cm", "in", "pt", "pc"])
def test_sizes_in_every_unit_are_drawn(unit):
    picture = decoded(drawing("", f'width="48{unit}" height="24{unit}"'))
    assert picture.width == SVG_BOX
    assert abs(picture.height - SVG_BOX // 2) <= 2  # the renderer rounds the size to whole pixels first
    inside = decoded(drawing(f'<rect width="2{unit}" height="2{unit}" fill="red"/>', 'width="40" height="40"'))
    assert inside.pixels[5, 5].tolist() == RED


def test_an_inch_has_96_pixels():
    body = '<rect width="25.4mm" height="1in" fill="red"/>'
    red = decoded(drawing(body, 'width="192" height="192"')).pixels[9, :, 1] < 128
    assert abs(int(red.sum()) - SVG_BOX // 2) <= 1


def words(text, family="sans-serif"):
    return decoded(drawing(f'<text x="10" y="60" font-size="40" font-family="{family}">{text}</text>'))


@pytest.mark.parametrize("family", ["serif", "monospace", "cursive", "Helvetica", "A font that nobody has"])
def test_texts_are_drawn_whatever_font_they_ask_for(family):
    first, second = words("ACME", family), words("GLOBEX", family)
    assert first.warning == ""
    assert (first.pixels != second.pixels).any()


@pytest.mark.parametrize(("key", "value"), [("font-weight", "bold"), ("font-style", "italic")])
def test_texts_have_their_weight_and_slant(key, value):
    styled, plain = (f'<text y="60" font-size="40" {key}="{one}">ACME</text>' for one in (value, "normal"))
    assert (decoded(drawing(styled)).pixels != decoded(drawing(plain)).pixels).any()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('<text y="60">\u6f22</text>', "U+6F22"),
        ("<foreignObject width='9' height='9'><p/></foreignObject>", "foreignObject"),
        ("<style>@import url(x.css);</style>", "@import"),
        ("<style>@font-face{font-family:x;src:url(x.woff)}</style>", "@font-face"),
        ('<image width="9" height="9" href="data:image/png;base64,AAAA"/>', "mage"),
        ("<text>&nbsp;</text>", "&nbsp;"),
        ("<?xml-stylesheet href='x.css'?>", "xml-stylesheet"),
    ],
)
def test_what_is_not_drawn_is_named(body, name):
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    warning = decoded(drawing(body, head=doctype)).warning
    assert warning.startswith("a.svg: some of it is not drawn")
    assert name in warning


def test_a_foreign_object_with_a_fallback_is_no_gap():
    body = "<switch><foreignObject requiredExtensions='x'/><rect width='200' height='100' fill='red'/></switch>"
    picture = decoded(drawing(body))
    assert (picture.warning, picture.pixels[9, 9].tolist()) == ("", RED)


def test_a_switch_of_languages_takes_english():
    size = 'width="200" height="100"'
    german, english = (f'<rect systemLanguage="{one}" {size} fill="red"/>' for one in ("de", "en"))
    assert decoded(drawing(f"<switch>{english}<rect {size}/></switch>")).pixels[9, 9].tolist() == RED
    assert decoded(drawing(f"<switch>{german}<rect {size}/></switch>")).pixels[9, 9].tolist() == [0, 0, 0]


def test_a_blend_mode_mixes_with_the_drawing_and_not_with_the_ground():
    body = '<rect width="200" height="100" fill="red" style="mix-blend-mode:difference"/>'
    assert decoded(drawing(body)).pixels[9, 9].tolist() == RED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "iso-8859-1", "windows-1252", "iso-8859-5"])
def test_declared_encodings_are_read(encoding):
    letter = "\u0416" if encoding == "iso-8859-5" else "\u00e9"
    body = f'<text y="60" font-size="40">{letter}</text>'
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-be")}"?>'
    assert (decoded(drawing(body, head=head), encoding).pixels == decoded(drawing(body)).pixels).all()


def test_an_encoding_that_nobody_knows_is_an_error():
    assert "the svg is broken" in refusal(drawing("", head='<?xml version="1.0" encoding="klingon"?>'))


def test_comments_are_no_references_and_no_hiding_place():
    assert decoded(drawing('<!-- <image href="x.png"/> -->')).warning == ""
    assert decoded(f"<!--{'x' * 200_000}-->" + drawing("")).format == "svg"


@pytest.mark.parametrize(
    "href",
    ["/etc/hostname", "other.png", "  x.png", "file:///x.png", "https://example.org/x.png", "DATA:x", "//h/x"],
)
def test_it_may_not_read_other_files(href):
    text = drawing(f'<image href="{href}" width="10" height="10"/>')
    assert f"it refers to another file ({href.strip()!r})" in refusal(text)


@pytest.mark.parametrize(
    "body",
    [
        '<image a=">" href="x.png"/>',
        '<s:image xmlns:s="http://www.w3.org/2000/svg" href="x.png"/>',
        '<my-own.s:image xmlns:my-own.s="http://www.w3.org/2000/svg" href="x.png"/>',
        f'<{"p" * 50}:image xmlns:{"p" * 50}="http://www.w3.org/2000/svg" href="x.png"/>',
        '<image xmlns:q="http://www.w3.org/1999/xlink" q:href="x.png"/>',
        "<svg:IMAGE\nxlink:href = '  x.png'/>",
        '<use href="x.png#a"/>',
        '<filter id="f"><feImage href="x.png"/></filter>',
        '<pattern href="x.svg#p"/>',
        '<rect fill="url(x.svg#p)"/>',
        """<rect style="filter: url( 'x.svg#p' )"/>""",
        "<image href='&#120;.png'/>",
        "<image href='&name;'/>",
        "<text>&file;</text>",
    ],
)
def test_no_spelling_of_a_reference_gets_through(body):
    head = '<!DOCTYPE svg [<!ENTITY name "x.png"><!ENTITY file SYSTEM "/etc/hostname">]>'
    assert "it refers to another file" in refusal(drawing(body, head=head))


def test_references_inside_the_file_and_links_are_fine():
    body = '<g id="a"/><use href="#a"/><a href="https://example.org"/><rect fill="url( #b )" width="9" height="9"/>'
    assert decoded(drawing(body)).width == SVG_BOX


def test_a_drawing_in_the_drawing_reads_no_file_either(tmp_path):
    (tmp_path / "x.png").write_bytes(png(RED))
    size = 'width="200" height="100" preserveAspectRatio="none"'
    inner = drawing(f'<image {size} href="{tmp_path / "x.png"}"/>').encode()
    assert (decoded(drawing(f'<image {size} href="{data("svg+xml", inner)}"/>')).pixels == 255).all()
    assert (decoded(drawing(f'<image {size} href="{data("png", png(RED))}"/>')).pixels == RED).all()


@pytest.mark.skipif(not svg_worker.has_landlock(), reason="the kernel has no Landlock")
def test_the_renderer_cannot_open_a_file():
    """In a process of its own, because nothing lifts the restriction again."""
    code = f"""
import runpy
worker = runpy.run_path({svg_worker.__file__!r})
open("/etc/passwd").close()
worker["close_files"]("/usr")
try:
    open("/etc/passwd")
except PermissionError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "refused\n", done.stderr


@pytest.mark.parametrize(
    "text", ["<svg ", '<svg width="0" height="0" xmlns="http://www.w3.org/2000/svg"/>', "<svg>\xff"]
)
def test_a_broken_one_is_an_error(text):
    with pytest.raises(InvalidInput, match=r"a\.svg: the svg is broken"):
        decode(text.encode("latin-1"), "a.svg")


def test_entities_that_multiply_are_an_error():
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE svg [<!ENTITY a0 "{"a" * 50}">{levels}]>'
    for body in ("<text>&a11;</text>", '<rect id="&a11;"/>'):
        assert "the svg is broken" in refusal(drawing(body, head=head))


def test_hundreds_of_nested_groups_are_drawn_and_more_are_an_error():
    body = '<rect width="200" height="100" fill="red"/>'
    for depth in (300, 900):
        assert decoded(drawing("<g>" * depth + body + "</g>" * depth)).pixels[9, 9].tolist() == RED
    for depth in (4_000, svg_worker.DEEPEST, 200_000):
        assert "the svg is broken" in refusal(drawing("<g>" * depth + body + "</g>" * depth))


def test_a_drawing_that_never_ends_is_ended():
    filters = "<feMorphology operator='dilate' radius='300'/>" * 300
    text = drawing(f"<filter id='f'>{filters}</filter><rect filter='url(#f)' width='200' height='100'/>")
    with pytest.raises(InvalidInput, match=r"a\.svg: drawing the svg takes more than 1 s"):
        svg.draw(text.encode(), "a.svg", SVG_BOX, seconds=1)


def test_a_drawing_that_fills_the_memory_is_ended():
    text = drawing(f'<image width="9" height="9" href="{data("png", png(RED, side=6_000))}"/>')
    with pytest.raises(InvalidInput, match=r"a\.svg: drawing the svg takes more than 100 MiB of memory"):
        svg.draw(text.encode(), "a.svg", SVG_BOX, memory=100 << 20)


def test_a_crash_of_the_renderer_is_an_error(monkeypatch, tmp_path):
    worker = tmp_path / "worker.py"
    worker.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr(svg_worker, "__file__", str(worker))
    assert "the renderer crashed on the svg (SIGSEGV)" in refusal(drawing(""))


def test_a_large_file_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(svg, "LARGEST", 100)
    assert "bytes, more than 100" in refusal(drawing(" " * 100))


@pytest.mark.parametrize(
    ("text", "found"),
    [("<svg/>", True), ("<x:svg/>", True), ("<html><svg/></html>", False), ("a", False), ("<", False)],
)
def test_the_first_element_decides(text, found):
    assert svg.is_svg(text.encode()) == found
    assert svg.is_svg(text.encode("utf-16")) == found


def test_attributes_are_written_out_as_they_were_read():
    text = f"<svg {SPACE} id='a\"b&lt;&amp;&#10;&#13;&#9;c&gt;' class=\"it's\"><text>a&lt;b&amp;\"'</text></svg>"
    given, written = ElementTree.fromstring(text), ElementTree.fromstring(svg_worker.Cleaned(text.encode()).text)
    assert (written.attrib, written[0].text) == (given.attrib, given[0].text)
