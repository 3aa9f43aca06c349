"""Small pictures inside a page."""

import base64
import io

_SIDE = 96
_LARGEST = 64 * 1024**2
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")


def thumbnail(content: bytes | None) -> str:
    """An encoded picture as an html image of up to 96 × 96 pixels; empty for what cannot be decoded."""
    from PIL import Image

    if not content or len(content) > _LARGEST:
        return ""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            picture.thumbnail((_SIDE, _SIDE))
            small = io.BytesIO()
            picture.convert("RGB").save(small, format="PNG")
    except Exception:  # Pillow's decoders raise a dozen types; a page without this picture is still a page
        return ""
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}">'
