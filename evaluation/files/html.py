"""Pages in one file: templates, values inside a page, and a policy that allows nothing but what is inside."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files

import jinja2

_UNSAFE = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def json_for_html(value: object) -> str:
    """JSON that cannot end the element it is in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def file_of_page(package: str, folder: str, name: str) -> str:
    """The text of a template, a style or a script that comes with the program."""
    return (files(package) / folder / name).read_text(encoding="utf-8")


def style_of_page(package: str, name: str) -> str:
    """The style of a page: the colours and rules that all pages share, then its own."""
    return file_of_page(__package__ or "", "static", "base.css") + file_of_page(package, "static", name)


def template(package: str, name: str) -> jinja2.Template:
    """A template of a package, which may extend others. What it is given is escaped; a value it lacks is an error."""
    loader = jinja2.FunctionLoader(lambda name: file_of_page(package, "templates", name))
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.get_template(name)


def inside_policy(style: str, scripts: Sequence[str]) -> str:
    """The content security policy of a page in one file: its own style, scripts and pictures, and no request."""
    allowed = " ".join(_source(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_source(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
