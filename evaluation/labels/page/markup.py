"""The html of the page, from its template."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

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

_UNSAFE = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Inside:
    """What a page in one file has inside: its policy, its style and its scripts."""

    policy: str
    style: str
    scripts: tuple[str, ...]


def page_html(name: str, start: Mapping[str, Any], inside: Inside | None = None) -> str:
    """The page. start: what it needs to begin, as JSON values. inside: None for a page that loads the rest."""
    return _template().render(name=name, start=json_for_html(start), script_names=SCRIPTS, inside=inside)


def json_for_html(value: object) -> str:
    """JSON that cannot end the element it is in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def static_text(name: str) -> str:
    """A style or script that comes with the program."""
    return (files(__package__ or "") / "static" / name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = (files(__package__ or "") / "templates" / "page.html").read_text(encoding="utf-8")
    return environment.from_string(text)
