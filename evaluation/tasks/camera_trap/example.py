"""Six clips that show a bird, a hare, both or nothing."""

from pathlib import Path

from evaluation.contract.example import Example
from evaluation.files.whole import write_text

_TRUTH = """filename,bird,blank,hare
clip-1,1,0,0
clip-2,0,1,0
clip-3,0,0,1
clip-4,1,0,1
clip-5,0,1,0
clip-6,0,1,0
"""
_GOOD = """filename,blank,bird,hare
clip-1,0.1,0.9,0.05
clip-2,0.8,0.1,0.1
clip-3,0.3,0.1,0.6
clip-4,0.05,0.7,0.6
clip-5,0.99,0.01,0.01
clip-6,0.4,0.5,0.2
"""


def write(embeddings: Path, data: Path) -> Example:
    """Writes test_labels.csv. Columns may be in any order; the broken submission has NaN as a probability."""
    write_text(data / "example" / "test_labels.csv", _TRUTH)
    split = {"split": {"public": 0.5, "salt": "keep this to yourself"}}
    return Example(".csv", _GOOD, _GOOD.replace("0.99", "nan"), split)
