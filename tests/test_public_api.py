"""`import fixfirst`: complete, re-exported and documented."""

import doctest
import inspect
import re

import fixfirst
import pytest

import cleaning

PUBLIC = [name for name in fixfirst.__all__ if name != "__version__"]
SECTIONS = re.compile(r"^ *(Parameters|Attributes|Returns|Raises|Notes)\n *-+$", re.MULTILINE)


def test_the_package_re_exports_what_cleaning_offers():
    assert sorted(fixfirst.__all__) == fixfirst.__all__
    assert set(PUBLIC) == {*cleaning.__all__, "LabelRanker", "Suspects", "rank"}
    assert all(getattr(fixfirst, name) is getattr(cleaning, name) for name in cleaning.__all__)
    assert fixfirst.__version__ == cleaning.__version__


def functions():
    """Every public function and method of the package, by name."""
    for name in PUBLIC:
        member = getattr(fixfirst, name)
        if inspect.isfunction(member):
            yield name, member
        elif not issubclass(member, Exception):
            for inner, method in vars(member).items():
                method = getattr(method, "__func__", method)
                if inspect.isfunction(method) and not inner.startswith("_"):
                    yield f"{name}.{inner}", method


@pytest.mark.parametrize(
    ("name", "function"), list(functions()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_functions_document_their_parameters_and_what_they_return(name, function):
    text = inspect.getdoc(function)
    parameters = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    if parameters:
        section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
        listed = [part for line in re.findall(r"^(\w[\w, ]*) :", section, re.MULTILINE) for part in line.split(", ")]
        assert listed == parameters
    assert "Returns\n-------\n" in text


@pytest.mark.parametrize("name", PUBLIC)
def test_classes_document_what_they_are_made_of(name):
    member = getattr(fixfirst, name)
    text = inspect.getdoc(member)
    assert text
    fields = list(getattr(member, "__dataclass_fields__", ()))
    if fields:
        heads = re.findall(r"^(\w[\w, ]*) :", text, re.MULTILINE)
        assert [part for head in heads for part in head.split(", ")] == fields


EXAMPLES = [
    example
    for name in PUBLIC
    for example in doctest.DocTestFinder(recurse=False).find(getattr(fixfirst, name), name, globs={})
    if example.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_examples_of_the_reference_work(example):
    assert doctest.DocTestRunner().run(example).failed == 0


def test_what_people_start_with_has_examples():
    assert {"rank", "LabelRanker", "label_posterior", "consensus"} <= {example.name for example in EXAMPLES}
