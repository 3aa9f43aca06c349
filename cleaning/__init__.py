"""The domain: labelled embeddings, rankings, the cleaning simulation and its curve. Arrays in, arrays out."""

from cleaning.curve import CleaningCurve
from cleaning.data import GroundTruth, NoisyDataset, Split, class_count
from cleaning.errors import FixfirstError, InvalidInput, Unsuitable
from cleaning.noise import plant_noise
from cleaning.posterior import Posterior, label_posterior
from cleaning.ranking import Ranking
from cleaning.simulate import LabelPath, Learner, simulate

__version__ = "0.1.0"

__all__ = [
    "CleaningCurve",
    "FixfirstError",
    "GroundTruth",
    "InvalidInput",
    "LabelPath",
    "Learner",
    "NoisyDataset",
    "Posterior",
    "Ranking",
    "Split",
    "Unsuitable",
    "class_count",
    "label_posterior",
    "plant_noise",
    "simulate",
]
