"""The pinned lists are complete: whatever a package asks for, extras included, has a pin that stands for it."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

RUNTIME, TOOLS = ((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))


def pins(text: str) -> dict[str, Requirement]:
    """The pins of a list that apply to this Python, by canonical name."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?)\s*\\?$", text, re.MULTILINE)
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(pin.name): pin for pin in found if pin.marker is None or pin.marker.evaluate()}


def asked_for(name: str, extras: set[str]) -> Iterator[Requirement]:
    """What an installed package asks for, here and with these extras; an extra may ask for others of the package."""
    known = set(extras)
    for text in requires(name) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            if canonicalize_name(requirement.name) != name:
                yield requirement
            elif not requirement.extras <= known:
                yield from asked_for(name, requirement.extras - known)


def allows(wanted: Requirement, pin: Requirement) -> bool:
    """Whether the pinned version is one of those wanted."""
    return wanted.specifier.contains(next(iter(pin.specifier)).version, prereleases=True)


def gaps(text: str) -> list[str]:
    """Requirements of the pinned packages that no pin of the list stands for."""
    pinned, found = pins(text), []
    for name, pin in pinned.items():
        for wanted in asked_for(name, pin.extras):
            stand_in = pinned.get(canonicalize_name(wanted.name))
            if stand_in is None:
                found.append(f"{name} asks for {wanted}, which is not pinned")
            elif not wanted.extras <= stand_in.extras or not allows(wanted, stand_in):
                found.append(f"{name} asks for {wanted}, the pin is {stand_in}")
    return found


@pytest.fixture(autouse=True, scope="module")
def made_of_the_lists():
    """Skips where the packages are others than those pinned: `make test-lowest`, somebody's own environment."""
    for name, pin in pins(RUNTIME + TOOLS).items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != next(iter(pin.specifier)).version:
            pytest.skip(f"this environment is not made of the lists: {name} is {found}, the pin is {pin}")


@pytest.mark.parametrize("text", [RUNTIME, RUNTIME + TOOLS], ids=["runtime", "with the tools"])
def test_every_requirement_has_a_pin_that_stands_for_it(text):
    assert len(pins(text)) > 20
    assert gaps(text) == []


def test_no_package_is_in_both_lists():
    """The Makefile installs both at once."""
    assert not pins(RUNTIME).keys() & pins(TOOLS).keys()


def test_a_pin_without_the_extra_that_something_asks_for_is_found():
    text = RUNTIME + TOOLS
    assert any("coverage[toml]" in line for line in gaps(text.replace("coverage[toml]==", "coverage==")))


def test_a_missing_pin_and_one_of_another_version_are_found():
    without = re.sub(r"^scipy==[^\n]*\n(?:    --hash[^\n]*\n)+", "", RUNTIME, flags=re.MULTILINE)
    assert any("scikit-learn asks for scipy" in line and "not pinned" in line for line in gaps(without))
    old = re.sub(r"^joblib==\S+", "joblib==0.1", RUNTIME, flags=re.MULTILINE)
    assert any("scikit-learn asks for joblib" in line for line in gaps(old))


def test_what_is_pinned_has_hashes_and_names_no_index():
    for content in (RUNTIME, TOOLS, (ROOT / "mlcube" / "requirements.txt").read_text()):
        assert not re.search(r"://|--index|--find-links", content)
        blocks = re.split(r"\n(?=\S)", content.strip())
        assert len(blocks) > 20
        for block in blocks:
            assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,._-]+\])?==", block), block
            assert "--hash=sha256:" in block, block


def test_the_makefile_and_the_image_install_exactly_the_lists():
    for place in ("Makefile", "mlcube/Dockerfile"):
        text = (ROOT / place).read_text().replace("\\\n", " ")
        installs = [line for line in text.splitlines() if "--require-hashes" in line]
        assert installs
        assert all("--no-deps" in line for line in installs)
