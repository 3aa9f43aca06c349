"""Screenshots of the review page, to look at and for the README.

python -m tests.tools.review_screenshots FOLDER [NAME …]; without names, all of them.
"""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sklearn.datasets import load_wine

from tests.evaluation.labels.page.served import FLAGS, chromium, photos, ranked, served

_WORDS = {
    "sport": "the team won the match after a late goal and the fans sang until midnight in the stadium",
    "cooking": "stir the onions in butter, add the flour and simmer the sauce gently for ten minutes",
    "weather": "a cold front brings rain and strong wind from the west, with snow above a thousand metres",
}


def make(folder: Path, names: Sequence[str], browser: Browser) -> None:
    """Makes those with these names."""
    with TemporaryDirectory() as place:
        shots = {name: _SHOTS[name] for name in names}
        reviews = {kind: _REVIEWS[kind](Path(place)) for kind in {shot[0] for shot in shots.values()}}
        for name, (kind, width, height, scheme, steps) in shots.items():
            with served(reviews[kind], "me") as page_of, _page(browser, width, height, scheme) as page:
                page.goto(page_of.address)
                expect(page.locator("#main .question")).to_be_visible()
                steps(page)
                page.mouse.move(0, 0)
                page.wait_for_timeout(400)
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                picture.save(folder / f"{name}.png", optimize=True)
            reviews[kind].joinpath("decisions.jsonl").write_text("")


@contextmanager
def _page(browser: Browser, width: int, height: int, scheme: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def _digits(place: Path) -> Path:
    photos(place / "photos", 900, 10, 0.2, 64, {3: 9, 9: 3, 8: 1, 4: 7, 5: 6})
    photos(place / "trusted", count=1400, classes=10, rate=0, size=64)
    for path in (place / "trusted").rglob("*.png"):
        if int(path.stem[1:]) < 900:
            path.unlink()
    return ranked(place / "photos", f"--trusted={place / 'trusted'}")


def _table(place: Path) -> Path:
    wine = load_wine(as_frame=True)
    frame = wine.data.rename(columns=lambda name: name.replace("_", " "))
    rng = np.random.default_rng(0)
    names = np.array(["Barolo", "Grignolino", "Barbera"])
    labels = np.where(rng.random(len(frame)) < 0.1, (wine.target + 1) % 3, wine.target)
    frame.assign(variety=names[labels]).to_csv(place / "wines.csv", index=False)
    return ranked(place / "wines.csv", "--label-column=variety")


def _texts(place: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(150):
        true = list(_WORDS)[number % 3]
        words = rng.permutation([*_WORDS[true].split(), "today", "again", "really", "people"])
        label = list(_WORDS)[(number + 1) % 3] if rng.random() < 0.1 else true
        rows.append((f"note-{number:03d}", " ".join(words[:14]).capitalize() + ".", label))
    pd.DataFrame(rows, columns=["id", "text", "topic"]).to_csv(place / "notes.csv", index=False)
    return ranked(place / "notes.csv", "--text-column=text", "--label-column=topic")


def _decided(keys: str, then: str = "") -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        for key in keys:
            before = page.locator(".meta .id").inner_text()
            page.keyboard.press("Space" if key == "_" else key)
            expect(page.locator(".meta .id")).not_to_have_text(before)
        if len(keys) >= 10:
            expect(page.locator(".side")).to_contain_text("The order was renewed", timeout=30_000)
        for key in then:
            page.keyboard.press(key)
            page.wait_for_timeout(500)

    return steps


def _kind(then: str = "") -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        page.locator(".kind").first.click()
        page.wait_for_timeout(300)
        page.evaluate("scrollTo(0, 0)")
        page.keyboard.press("g")
        page.wait_for_timeout(300)
        for key in then:
            page.keyboard.press(key)
            page.wait_for_timeout(100)

    return steps


_REVIEWS = {"digits": _digits, "wines": _table, "notes": _texts}
_MANY = "_" * 24
_SHOTS: dict[str, tuple[str, int, int, str, Callable[[Page], None]]] = {
    "first": ("digits", 1380, 820, "light", _decided("")),
    "look": ("digits", 1380, 820, "light", _decided(_MANY)),
    "look-dark": ("digits", 1380, 820, "dark", _decided(_MANY)),
    "look-360": ("digits", 360, 740, "light", _decided("___")),
    "look-1920": ("digits", 1920, 1080, "light", _decided("___")),
    "grid": ("digits", 1380, 820, "light", _kind("a")),
    "grid-360": ("digits", 360, 740, "dark", _kind("a")),
    "list": ("digits", 1380, 820, "light", _decided("__k", "l")),
    "list-360": ("digits", 360, 740, "light", _decided("__k", "l")),
    "help": ("digits", 1380, 820, "light", _decided("", "?")),
    "choose": ("digits", 1380, 820, "dark", _decided("", "ct")),
    "table": ("wines", 1380, 820, "light", _decided("__")),
    "text": ("notes", 1380, 820, "light", _decided("__")),
    "text-dark": ("notes", 1024, 820, "dark", _decided("__", "g")),
}


def main() -> None:
    """Writes the pictures into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        make(folder, sys.argv[2:] or list(_SHOTS), browser)
        browser.close()


if __name__ == "__main__":
    main()
