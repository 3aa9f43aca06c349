"""Suspects as a table in a notebook, with small pictures."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd

_SIDE = 96
_LARGEST = 64 * 1024**2
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
SHOWN = ["row", "id", "given_label", "suggested_label", "suspicion"]
"""The columns to show."""


def as_html(head: str, notes: Sequence[str], suspects: pd.DataFrame, pictures: Sequence[bytes | None]) -> str:
    """The head and the notes above a table with a line per suspect, and its encoded picture where it has one."""
    said = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    lines = [
        "".join(f"<td>{html.escape(_shown(value))}</td>" for value in values)
        for values in suspects[SHOWN].itertuples(index=False)
    ]
    header = "".join(f"<th>{name}</th>" for name in SHOWN)
    if any(pictures):
        header = f"<th></th>{header}"
        lines = [f"<td>{_thumbnail(one)}</td>{line}" for one, line in zip(pictures, lines, strict=True)]
    rows = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<p>{head}</p>{said}<table><tr>{header}</tr>{rows}</table>"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3f}"
    return "" if value is None else str(value)


def _thumbnail(content: bytes | None) -> str:
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
