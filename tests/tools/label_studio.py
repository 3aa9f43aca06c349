"""What `fixfirst export --to=label-studio` writes, before the own check of Label Studio's SDK (`nox -s label_studio`).

python -m tests.tools.label_studio write FOLDER    # in our environment: a table, arrays, texts and pictures
python tests/tools/label_studio.py check FOLDER    # in one that has label-studio-sdk
"""

import json
import sys
from pathlib import Path


def write(folder: Path) -> None:
    """Ranks and exports rows in each way in which a task can show them."""
    import numpy as np
    import pandas as pd
    from PIL import Image

    from evaluation.cli import main

    folder.mkdir(parents=True, exist_ok=True)
    rng, names = np.random.default_rng(0), np.array(['a "b" & <c>', "é", "=1+1"])
    truth = rng.integers(0, 3, 60)
    rows, labels = np.eye(3)[truth] + 0.1 * rng.standard_normal((60, 3)), names[truth]
    pd.DataFrame(rows).add_prefix("e").assign(label=labels).to_csv(folder / "table.csv", index=False)
    np.savez(folder / "arrays.npz", X=rows, y=labels)
    texts = [f"{label} <b> {row}" for row, label in enumerate(labels)]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(folder / "texts.csv", index=False)
    for row, label in enumerate(truth[:12]):
        (folder / "pictures" / f"ü {label}").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (20 * row, 0, 0)).save(folder / "pictures" / f"ü {label}" / f"{row} #.png")
    for source in ("table.csv", "arrays.npz", "texts.csv", "pictures"):
        review = folder / f"{Path(source).stem}_review"
        if main(["rank", str(folder / source)]) or main(["export", str(review), "--to=label-studio"]):
            sys.exit(1)


def check(folder: Path) -> None:
    """Fails unless the SDK takes every configuration, every task and every prediction."""
    from label_studio_sdk.label_interface import LabelInterface

    for path in sorted(folder.glob("*_label_studio.json")):
        interface, tasks = LabelInterface(path.with_suffix(".xml").read_text()), json.loads(path.read_text())
        interface.validate()
        for task in tasks:
            errors = [error for one in task["predictions"] for error in interface.validate_prediction(one, True)]
            if errors or not interface.validate_task({"data": task["data"]}):
                sys.exit(f"{path}: {errors or task['data']}")
        sys.stdout.write(f"{path.name}: {len(tasks)} tasks\n")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
