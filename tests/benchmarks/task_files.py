"""Synthetic truth and submissions for the sister tasks, at the sizes of the original challenges."""

import hashlib
import json
from pathlib import Path

import numpy as np

from evaluation.submissions.ranked_lists import as_json, write_npz

DEPTH, CLASSES, LABELS = 1000, 24, 161


def prepare(folder: Path, share: float) -> None:
    """Writes the truth and a submission of every sister task; `share` scales the number of rows."""
    rng = np.random.default_rng(0)
    queries, references = (int(share * size) for size in (18_027, 36_748))
    ids = [hashlib.md5(b"%d" % row).hexdigest() for row in range(references)]
    classes = rng.integers(0, max(2, references // 7), references)
    of_query = classes[rng.integers(0, references, queries)]
    ranks = np.stack([rng.choice(references, min(DEPTH, references), replace=False) for _ in range(queries)])
    for row in range(queries):
        good = np.flatnonzero(classes == of_query[row])
        ranks[row, : len(good)] = np.where(np.isin(good, ranks[row]), ranks[row, : len(good)], good)
    names = [f"query-{row}" for row in range(queries)]
    (folder / "shop").mkdir()
    truth = {
        "query": {name: str(c) for name, c in zip(names, of_query, strict=True)},
        "reference": {name: str(c) for name, c in zip(ids, classes, strict=True)},
    }
    (folder / "shop" / "truth.json").write_text(json.dumps(truth))
    write_npz(folder / "shop_made.npz", names, ids, ranks)
    with (folder / "shop_made.json").open("wb") as file:
        file.writelines(as_json(names, ids, ranks))
    _prepare_tables(folder, share, rng)


def _prepare_tables(folder: Path, share: float, rng: np.random.Generator) -> None:
    for name in ("clips", "logos", "names"):
        (folder / name).mkdir()
    header = ",".join(["filename", *(f"class-{c}" for c in range(CLASSES))])
    for path in (folder / "clips" / "test_labels.csv", folder / "clips_made.csv"):
        numbers = rng.random((int(share * 200_000), CLASSES))
        cells = (numbers < 0.1).astype(int).tolist() if "test_labels" in path.name else numbers.tolist()
        rows = (f"clip-{row}.mp4,{','.join(map(repr, one))}" for row, one in enumerate(cells))
        path.write_text("\n".join([header, *rows]) + "\n")
    for path in (folder / "logos" / "test_labels.csv", folder / "logos_made.csv"):
        labels = rng.integers(0, LABELS, int(share * 6875))
        rows = (f"{row}.png,label-{label}" for row, label in enumerate(labels))
        path.write_text("\n".join(["file,category", *rows]) + "\n")
    (folder / "logos" / "labels.txt").write_text("".join(f"label-{label}\n" for label in range(LABELS)))
    sizes = {"caltech101": 101, "caltech256": 256}
    for path in (folder / "names" / "truth.json", folder / "names_made.json"):
        answers = {
            name: {str(image): int(rng.integers(0, size)) for image in range(int(share * 1100))}
            for name, size in sizes.items()
        }
        path.write_text(json.dumps(answers))
    for name, size in sizes.items():
        (folder / "names" / name).mkdir()
        (folder / "names" / name / "classes.json").write_text(json.dumps([f"class {c}" for c in range(size)]))
