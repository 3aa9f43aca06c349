"""The domain: labelled embeddings, rankings, the cleaning simulation and its curve. Arrays in, arrays out.

What needs pandas or scikit-learn at once is in `cleaning.labels`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleaning.belief.caveats import Caveat
    from cleaning.belief.consensus import Consensus, consensus
    from cleaning.belief.count import Count
    from cleaning.belief.posterior import Posterior, label_posterior
    from cleaning.belief.told import Checked
    from cleaning.belief.use import inspection_order
    from cleaning.data import GroundTruth, NoisyDataset, Split, class_count
    from cleaning.errors import BadData, FixfirstError, InvalidInput, Place, Unsuitable
    from cleaning.looks import FirstLooks, first_looks
    from cleaning.noise import plant_noise
    from cleaning.ranking import Ranking
    from cleaning.review import Round, next_round
    from cleaning.simulation.curve import CleaningCurve
    from cleaning.simulation.label_path import LabelPath, Learner
    from cleaning.simulation.simulate import Plan, simulate
else:
    from cleaning.lazily import importer

    __getattr__ = importer(
        "cleaning",
        {
            "cleaning.belief.caveats": ("Caveat",),
            "cleaning.belief.consensus": ("Consensus", "consensus"),
            "cleaning.belief.count": ("Count",),
            "cleaning.belief.posterior": ("Posterior", "label_posterior"),
            "cleaning.belief.told": ("Checked",),
            "cleaning.belief.use": ("inspection_order",),
            "cleaning.data": ("GroundTruth", "NoisyDataset", "Split", "class_count"),
            "cleaning.errors": ("BadData", "FixfirstError", "InvalidInput", "Place", "Unsuitable"),
            "cleaning.looks": ("FirstLooks", "first_looks"),
            "cleaning.noise": ("plant_noise",),
            "cleaning.ranking": ("Ranking",),
            "cleaning.review": ("Round", "next_round"),
            "cleaning.simulation.curve": ("CleaningCurve",),
            "cleaning.simulation.label_path": ("LabelPath", "Learner"),
            "cleaning.simulation.simulate": ("Plan", "simulate"),
        },
    )

__version__ = "0.1.0"

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
    "Learner",
    "NoisyDataset",
    "Place",
    "Plan",
    "Posterior",
    "Ranking",
    "Round",
    "Split",
    "Unsuitable",
    "class_count",
    "consensus",
    "first_looks",
    "inspection_order",
    "label_posterior",
    "next_round",
    "plant_noise",
    "simulate",
]


def __dir__() -> list[str]:
    return __all__
