"""Writes tests/cleaning/golden/dataperf_learner.json with torch: `python -m tests.tools.write_dataperf_golden`."""

import hashlib
import json
from pathlib import Path

import torch

from tests.tools.made_up import SHAPES, made_up
from tests.tools.torch_evaluator import Classifier, accuracies, network

TARGET = Path(__file__).parents[1] / "cleaning" / "golden" / "dataperf_learner.json"


def initial(width):
    tensors = [tensor.detach().numpy().ravel() for tensor in network(width).parameters()]
    return {
        "sha256": hashlib.sha256(b"".join(tensor.tobytes() for tensor in tensors)).hexdigest(),
        "first": [float(tensor[0]).hex() for tensor in tensors],
    }


def case(name):
    data = made_up(name)
    dirty = Classifier(data.train.shape[1]).fit(data.train, data.labels)
    curve = accuracies(data.train, data.labels, data.truth, data.order, data.test, data.test_labels, fits={})
    return {
        "threshold": round(float(dirty.threshold), 2),
        "probabilities": [round(float(value), 6) for value in dirty.probabilities(data.test)[:8]],
        "accuracy": curve,
    }


def main():
    torch.set_num_threads(1)
    content = {
        "torch": torch.__version__,
        "initial_weights": {str(width): initial(width) for width in (1, 3, 16, 33, 512, 2048)},
        "cases": {name: case(name) for name in SHAPES},
    }
    text = json.dumps(content)
    TARGET.write_text(text.replace('"cases"', '\n"cases"').replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    main()
