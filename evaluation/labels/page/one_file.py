"""`fixfirst review --static`: the review page as one file, for somebody without the program.

The first rows of the order are inside, with their reasons and their pictures, as many as fit the size. The decisions
leave the page as a file for `fixfirst decisions`.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, InvalidInput, count_of
from evaluation.files.html import inside_policy, json_for_html
from evaluation.files.outputs import refuse_output
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_bytes, write_text
from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.markup import SCRIPTS, Inside, page_html, static_text
from evaluation.labels.page.pictures import scaled
from evaluation.labels.page.views import Query, Views
from evaluation.labels.review_folder import read_by

_BOX, _SMALL_BOX = 420, 144
_MEGABYTE = 1_000_000
_LEAST = 0.5
_ALL = 1 << 40


def write_page(folder: Path, output: Path, megabytes: float, reporter: Reporter) -> None:
    """Writes the page of a review, of at most so many megabytes. Raises InvalidInput if not even one row fits."""
    if not megabytes >= _LEAST:
        raise InvalidInput("--size", f"it is {megabytes}", f"use {_LEAST} or more")
    review = open_review(folder, reporter)
    refuse_output(output, [".html"], read_by(folder, review.description))
    desk = Desk(review, "static", batch=_ALL)
    views = Views(desk)
    inside = _inside()
    room = int(megabytes * _MEGABYTE) - len(page_html(review.name, {}, inside).encode()) - len(review.name) - 100_000
    rows, pictures = _filled(views, room)
    if not rows:
        raise InvalidInput("--size", f"not even one row fits into {megabytes} MB", "allow more")
    start = {
        "name": review.name,
        "total": len(rows),
        "by": "",
        "classes": desk.classes,
        "annotators": views.annotators,
        "state": views.state(),
        "fingerprint": sha256_bytes(repr((review.description.said, review.source.hashes)).encode())[:16],
        "rows": rows,
        "pictures": pictures,
    }
    write_text(output, page_html(review.name, start, inside))
    reporter.say(f"{output}: the first {count_of(len(rows), 'open row')} of {len(review.source)}")
    reporter.say(f"take in what comes back: fixfirst decisions decisions.jsonl --review={folder}")


def _filled(views: Views, room: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """As many open rows as fit, in their order, and the pictures that they show."""
    rows: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    review = views.desk.review
    for number in _open_rows(views):
        row = views.row(number, same=False) | {"hash": review.source.hashes[number], "decisions": []}
        wanted = {
            one["key"]: _SMALL_BOX
            for group in (*[near["rows"] for near in row["near"]], row["copies"])
            for one in group
        }
        wanted[row["key"]] = _BOX
        more = {key: _data(views, key, box) for key, box in wanted.items() if key not in pictures or box == _BOX}
        room -= len(json_for_html(row).encode()) + sum(len(key) + len(data) + 8 for key, data in more.items()) + 1
        if room < 0:
            break
        rows.append(row)
        pictures |= more
    return rows, pictures


def _open_rows(views: Views) -> Iterator[int]:
    desk = views.desk
    query = Query(state="open", count=len(desk.given))
    yield from (row["row"] for row in views.rows(query)["rows"])


def _data(views: Views, key: str, box: int) -> str:
    """A picture as a data address; empty if it cannot be shown."""
    review = views.desk.review
    source = review.trusted if key.startswith("t") else review.source
    row = int(key.removeprefix("t"))
    content = None if source is None else source.picture(row)
    if content is None:
        return ""
    try:
        encoded, kind = scaled(content, key, box)
    except FixfirstError:
        return ""
    return f"data:{kind};base64,{base64.b64encode(encoded).decode()}"


def _inside() -> Inside:
    """The style and the scripts, and a policy that allows nothing else."""
    style = static_text("page.css")
    scripts = tuple(static_text("file.js" if name == "server.js" else name) for name in SCRIPTS)
    return Inside(inside_policy(style, scripts), style, scripts)
