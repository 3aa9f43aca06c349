"""Which labels should I fix first?

Everything here is defined in `cleaning`. This package re-exports it under the project's name, `import fixfirst`:

* own labels, in arrays and DataFrames: `rank`, `Suspects`, `LabelRanker`
* labelled embeddings: `Split`, `NoisyDataset`, `GroundTruth`, `class_count`, `plant_noise`
* beliefs about labels, and the order of inspection: `label_posterior`, `Posterior`, `Count`, `Caveat`,
  `inspection_order`, `Ranking`
* several labels per row: `consensus`, `Consensus`
* rounds of a review: `first_looks`, `FirstLooks`, `next_round`, `Round`, `Checked`
* the cleaning simulation: `simulate`, `Plan`, `CleaningCurve`, `Learner`, `LabelPath`
* errors: `FixfirstError`, `InvalidInput`, `BadData`, `Unsuitable`, `Place`
"""

from typing import TYPE_CHECKING

from cleaning import __all__ as _domain
from cleaning import __version__

if TYPE_CHECKING:
    from cleaning import (
        BadData,
        Caveat,
        Checked,
        CleaningCurve,
        Consensus,
        Count,
        FirstLooks,
        FixfirstError,
        GroundTruth,
        InvalidInput,
        LabelPath,
        Learner,
        NoisyDataset,
        Place,
        Plan,
        Posterior,
        Ranking,
        Round,
        Split,
        Unsuitable,
        class_count,
        consensus,
        first_looks,
        inspection_order,
        label_posterior,
        next_round,
        plant_noise,
        simulate,
    )
    from cleaning.labels.estimator import LabelRanker
    from cleaning.labels.rank import rank
    from cleaning.labels.suspects import Suspects
else:
    from cleaning.lazily import importer

    __getattr__ = importer(
        "fixfirst",
        {
            "cleaning": _domain,
            "cleaning.labels.estimator": ("LabelRanker",),
            "cleaning.labels.rank": ("rank",),
            "cleaning.labels.suspects": ("Suspects",),
        },
    )

__all__ = [
    "BadData",
    "Caveat",
    "Checked",
    "CleaningCurve",
    "Consensus",
    "Count",
    "FirstLooks",
    "FixfirstError",
    "GroundTruth",
    "InvalidInput",
    "LabelPath",
    "LabelRanker",
    "Learner",
    "NoisyDataset",
    "Place",
    "Plan",
    "Posterior",
    "Ranking",
    "Round",
    "Split",
    "Suspects",
    "Unsuitable",
    "__version__",
    "class_count",
    "consensus",
    "first_looks",
    "inspection_order",
    "label_posterior",
    "next_round",
    "plant_noise",
    "rank",
    "simulate",
]


def __dir__() -> list[str]:
    return __all__
