"""Reviews to look at, pages that are served in this process, and a headless Chromium."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from evaluation.cli import main
from evaluation.files.progress import Reporter
from evaluation.labels.forms.found import Options
from evaluation.labels.opened import open_review
from evaluation.labels.page.app import make_app
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.serve import listening, server_of
from evaluation.labels.page.views import Views
from evaluation.labels.review_folder import COLUMNS, describe, write_review
from evaluation.labels.source import Request, open_source

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def photos(
    folder: Path,
    count: int = 60,
    classes: int = 3,
    rate: float = 0.2,
    size: int = 32,
    taken_for: dict[int, int] | None = None,
) -> dict[str, str]:
    """Class folders of pictures of digits, some in the wrong one. The true class of each picture by its name.

    taken_for: which class is taken for which other; None: any for any.
    """
    digits = load_digits()
    chosen = np.flatnonzero(digits.target < classes)[:count]
    rng = np.random.default_rng(0)
    truth = {}
    for number, row in enumerate(chosen.tolist()):
        true = int(digits.target[row])
        others = [one for one in range(classes) if one != true]
        wrong = int(rng.choice(others)) if taken_for is None else taken_for.get(true, true)
        label = wrong if rng.random() < rate else true
        name = f"p{number:04d}.png"
        (folder / DIGITS[label]).mkdir(parents=True, exist_ok=True)
        pixels = 255 - np.clip(digits.images[row] * 16, 0, 255)
        image = Image.fromarray(pixels.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
        image.save(folder / DIGITS[label] / name)
        truth[name] = DIGITS[true]
    return truth


def ranked(source: Path, *more: str) -> Path:
    """The review folder of a source."""
    assert main(["rank", str(source), *more]) == 0
    return source.parent / f"{source.name if source.is_dir() else source.stem}_review"


def large(folder: Path, rows: int = 50_000) -> Path:
    """A review of many rows whose ranking is made up, so that it takes no time to make."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, rows)
    features = rng.normal(size=(rows, 4)).astype(np.float32)
    path = folder / "many.npz"
    np.savez(path, X=features, y=np.array(["ant", "bee", "cow", "dog", "emu"])[labels])
    source, _ = open_source(Request(path, Options()), Reporter())
    order = rng.permutation(rows)
    suspicion = np.sort(rng.random(rows) ** 8)[::-1]
    names = np.array(source.classes)
    columns = dict.fromkeys(COLUMNS, "") | {
        "place": np.arange(1, rows + 1),
        "id": [source.ids[row] for row in order],
        "row": order,
        "given_label": names[source.labels[order]],
        "suggested_label": names[(source.labels[order] + (suspicion > 0.5)) % 5],
        "probability": np.maximum(suspicion, 1 - suspicion),
        "suspicion": suspicion,
    }
    review = folder / "many_review"
    count = {
        "deviations": (1.0, 2.5),
        "expected": float(suspicion.sum()),
        "low": 0.9 * suspicion.sum(),
        "high": 1.1 * suspicion.sum(),
    }
    none = {"caveats": [], "first_looks": [], "decided": {}, "features_before": None, "classes_before": []}
    description = describe(review, source, None, seed=0, count=count, decisions=0, **none)
    write_review(review, description, pd.DataFrame(columns, columns=list(COLUMNS)))
    return review


@dataclass(frozen=True)
class Served:
    """A page that is being served."""

    address: str
    desk: Desk

    @property
    def host(self) -> str:
        return self.address.split("/")[2]

    @property
    def port(self) -> int:
        return int(self.host.split(":")[1])


@contextmanager
def served(review: Path, by: str = "ann", batch: int = 10) -> Iterator[Served]:
    """Serves a review in a thread of this process."""
    desk = Desk(open_review(review), by, batch)
    with listening(0) as listener:
        port = listener.getsockname()[1]
        server = server_of(make_app(Views(desk), "token", port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{port}/token/", desk)
        finally:
            server.should_exit = True
            thread.join()
            desk.wait()


def chromium() -> str:
    """The browser's path; skips, loudly, where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("NOT TESTED: the review page in a browser (there is no chromium; on Debian: apt install chromium)")
    return found
