"""The html of the page, from its template."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from evaluation.files.html import file_of_page, json_for_html, style_of_page, template

SCRIPTS = (
    "dom.js",
    "server.js",
    "bar.js",
    "show.js",
    "look.js",
    "grid.js",
    "list.js",
    "choose.js",
    "keys.js",
    "main.js",
)
"""The scripts of the served page, in the order in which they are loaded."""


@dataclass(frozen=True)
class Inside:
    """What a page in one file has inside: its policy, its style and its scripts."""

    policy: str
    style: str
    scripts: tuple[str, ...]


def page_html(name: str, start: Mapping[str, Any], inside: Inside | None = None) -> str:
    """The page. start: what it needs to begin, as JSON values. inside: None for a page that loads the rest."""
    return _template().render(name=name, start=json_for_html(start), script_names=SCRIPTS, inside=inside)


def static_text(name: str) -> str:
    """A style or script that comes with the program."""
    package = __package__ or ""
    return style_of_page(package, name) if name.endswith(".css") else file_of_page(package, "static", name)


@cache
def _template() -> jinja2.Template:
    return template(__package__ or "", "page.html")
