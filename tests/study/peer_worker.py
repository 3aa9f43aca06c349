"""Runs a method of another package as its documentation says: python peer_worker.py METHOD FOLDER.

This file runs in the package's own environment and imports nothing of ours. FOLDER has one npz per case (X, y and the
trusted X_val, y_val). For each, FOLDER/METHOD/CASE.csv becomes the table that the method gives, and CASE.seconds the
time it took.
"""

import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

warnings.simplefilter("ignore")


def _model():
    return LogisticRegression(max_iter=1000)


def _predicted(X, y):
    return cross_val_predict(_model(), X, y, cv=5, method="predict_proba")


def self_confidence(X, y, X_val, y_val):
    from cleanlab.rank import get_label_quality_scores

    return pd.DataFrame({"label_quality": get_label_quality_scores(y, _predicted(X, y))})


def confident_learning(X, y, X_val, y_val):
    from cleanlab.classification import CleanLearning

    lab = CleanLearning(_model(), seed=0)
    lab.find_label_issues(X, y)
    return lab.get_label_issues()


def datalab(X, y, X_val, y_val):
    from cleanlab import Datalab

    lab = Datalab({"X": X, "y": y}, label_name="y", verbosity=0)
    lab.find_issues(pred_probs=_predicted(X, y), features=X, issue_types={"label": {}})
    return lab.get_issues("label")


def datalab_features(X, y, X_val, y_val):
    from cleanlab import Datalab

    lab = Datalab({"X": X, "y": y}, label_name="y", verbosity=0)
    lab.find_issues(features=X, issue_types={"label": {}})
    return lab.get_issues("label")


def _pydvl(X, y, X_val, y_val):
    from pydvl.valuation import Dataset

    return Dataset(X, y), Dataset(X_val, y_val)


def knn_shapley(X, y, X_val, y_val):
    from pydvl.valuation import KNNShapleyValuation
    from sklearn.neighbors import KNeighborsClassifier

    train, trusted = _pydvl(X, y, X_val, y_val)
    found = KNNShapleyValuation(KNeighborsClassifier(n_neighbors=5), trusted, progress=False).fit(train)
    return _values(found.result)


def data_oob(X, y, X_val, y_val):
    from pydvl.valuation import DataOOBValuation
    from sklearn.ensemble import BaggingClassifier

    train, _ = _pydvl(X, y, X_val, y_val)
    bag = BaggingClassifier(_model(), n_estimators=100, max_samples=0.5, random_state=0).fit(X, y)
    return _values(DataOOBValuation(bag).fit(train).result)


def _values(result):
    return pd.DataFrame({"row": result.indices, "value": result.values})


def datascope(X, y, X_val, y_val):
    from datascope.importance import ImportanceMethod, ShapleyImportance, SklearnModelAccuracy

    found = ShapleyImportance(ImportanceMethod.NEIGHBOR, SklearnModelAccuracy(_model()))
    return pd.DataFrame({"value": np.asarray(found.fit(X, y).score(X_val, y_val))})


def lava(X, y, X_val, y_val):
    import torch
    from opendataval.dataval import LavaEvaluator

    rows, trusted = (torch.tensor(part, dtype=torch.float32) for part in (X, X_val))
    labels, right = (torch.eye(int(max(y.max(), y_val.max())) + 1)[part] for part in (y, y_val))
    found = LavaEvaluator(random_state=0).input_data(rows, labels, trusted, right).train_data_values()
    return pd.DataFrame({"value": found.evaluate_data_values()})


METHODS = {
    "self_confidence": ("cleanlab", self_confidence),
    "confident_learning": ("cleanlab", confident_learning),
    "datalab": ("cleanlab", datalab),
    "datalab_features": ("cleanlab", datalab_features),
    "knn_shapley": ("pyDVL", knn_shapley),
    "data_oob": ("pyDVL", data_oob),
    "datascope": ("datascope", datascope),
    "lava": ("opendataval", lava),
}


def main():
    name, folder = sys.argv[1], Path(sys.argv[2])
    package, method = METHODS[name]
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "version").write_text(f"{package} {version(package)}\n")
    for path in sorted(folder.glob("*.npz")):
        output = place / f"{path.stem}.csv"
        if output.exists():
            continue
        with np.load(path) as case:
            parts = [case[key] for key in ("X", "y", "X_val", "y_val")]
        started = time.process_time()
        table = method(*parts)
        output.with_suffix(".seconds").write_text(f"{time.process_time() - started:.6f}\n")
        table.to_csv(output)


if __name__ == "__main__":
    main()
