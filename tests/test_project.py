"""The house rules that can be counted."""

import ast

import pytest

from tests.support import ROOT

MODULES = sorted(path for room in ("cleaning", "baselines", "evaluation") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            doc = ast.get_docstring(node, clean=False)
            length = (node.end_lineno or 0) - node.lineno + 1 - (len(doc.splitlines()) if doc else 0)
            assert length <= 40, f"{node.name} has {length} lines"


def test_mlcube_is_not_a_python_package():
    assert not list((ROOT / "mlcube").glob("__init__.py"))
