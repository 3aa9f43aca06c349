"""The html of the report page, from its template."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from evaluation.contract.record import Record
from evaluation.figures.page.content import Section
from evaluation.files.html import file_of_page, inside_policy, json_for_html, style_of_page, template

_SCRIPTS = ("dom.js", "table.js", "plot.js", "curves.js", "overview.js", "report.js")
_ROOM = 2_400_000
"""Characters of pictures that the page holds; later ones are links to the files beside it."""
_ENVIRONMENT = ("fixfirst", "python", "numpy", "scikit-learn", "processor")


def report_html(sections: Sequence[Section], failed: Sequence[Record], records: Sequence[Record]) -> str:
    """The page. sections: the main task first. failed: the submissions without a score. records: the good ones."""
    style = style_of_page(__package__ or "", "report.css")
    script = "".join(file_of_page(__package__ or "", "static", name) for name in _SCRIPTS)
    return _template().render(
        sections=sections,
        failed=failed,
        made_with=made_with(records),
        data=json_for_html([one.data for one in sections]),
        style=style,
        script=script,
        policy=inside_policy(style, [script]),
    )


def picture_addresses(names: Sequence[str], folder: Path, room: int = _ROOM) -> list[Mapping[str, str]]:
    """Name, file and address of each picture: the picture itself while there is room, then nothing but its file."""
    found: list[Mapping[str, str]] = []
    for name in names:
        content = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode()
        room -= len(content)
        inside = f"data:image/svg+xml;base64,{content}" if room > 0 else ""
        found.append({"name": name, "file": f"{name}.svg", "address": inside})
    return found


def made_with(records: Sequence[Record]) -> list[tuple[str, str]]:
    """What the scores were made with, each value once."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        known: dict[str, Any] = {name: record.environment.get(name) for name in _ENVIRONMENT}
        known["learner"] = _learner(record.settings.get("learner"))
        for name, value in known.items():
            if value:
                found.setdefault(name, {})[str(value)] = None
    return [(name, ", ".join(values)) for name, values in found.items()]


def _learner(description: object) -> str:
    if not isinstance(description, dict):
        return ""
    options = ", ".join(f"{name} {value}" for name, value in description.items() if name != "name")
    return f"{description.get('name', '')} ({options})" if options else str(description.get("name", ""))


@cache
def _template() -> jinja2.Template:
    return template(__package__ or "", "report.html")
