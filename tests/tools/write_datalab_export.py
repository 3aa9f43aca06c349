"""Writes tests/evaluation/labels/datalab.csv with cleanlab[datalab]: `python -m tests.tools.write_datalab_export`.

The rows are those of `noisy_blobs("blobs", n=90, rate=0.4, gap=1.5)`; the table is what `Datalab.get_issues` returns.
"""

from pathlib import Path

from cleanlab import Datalab
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tests.support import noisy_blobs

TARGET = Path(__file__).parents[1] / "evaluation" / "labels" / "datalab.csv"


def main():
    train = noisy_blobs("blobs", n=90, rate=0.4, gap=1.5)[0].train
    predicted = cross_val_predict(LogisticRegression(), train.features, train.labels, cv=5, method="predict_proba")
    lab = Datalab({"X": train.features, "y": train.labels}, label_name="y", verbosity=0)
    lab.find_issues(pred_probs=predicted, features=train.features)
    lab.get_issues().to_csv(TARGET, float_format="%.6g")


if __name__ == "__main__":
    main()
