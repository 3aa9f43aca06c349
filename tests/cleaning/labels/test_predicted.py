import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from cleaning import InvalidInput, plant_noise
from cleaning.labels.predicted import predicted_by_class
from cleaning.labels.rank import rank
from tests.support import blobs

NAMES = np.array(["ant", "bee", "cat"])


@pytest.fixture(scope="module")
def made():
    clean = blobs(240, 1, classes=3, width=6, gap=5.0)
    given = plant_noise(clean.labels, 0.2, "symmetric", np.random.default_rng(0))
    model = LogisticRegression(C=0.1, max_iter=500)
    own = cross_val_predict(model, clean.features, given, method="predict_proba")
    return clean, given, own


def test_probabilities_are_one_more_voice(made):
    clean, given, own = made
    wrong = given != clean.labels
    weak = np.random.default_rng(1).normal(size=(240, 4))
    plain, found = rank(weak, NAMES[given]), rank(weak, NAMES[given], probabilities=own)
    before, after = (
        average_precision_score(wrong, one.frame.sort_values("row")["suspicion"]) for one in (plain, found)
    )
    assert after > before + 0.1
    first = found.next(20)["row"].to_numpy()
    left = found.decide(first, NAMES[clean.labels[first]]).frame.head(220)
    assert average_precision_score(wrong[left["row"]], left["suspicion"]) > 0.7


def test_probabilities_may_be_all_there_is(made):
    clean, given, own = made
    wrong = given != clean.labels
    found = rank(None, NAMES[given], probabilities=own)
    assert average_precision_score(wrong, found.frame.sort_values("row")["suspicion"]) > 0.9
    some = rank(
        None, NAMES[given], trusted=(None, NAMES[clean.labels[:30]]), probabilities=own, trusted_probabilities=own[:30]
    )
    assert some.wrong.low <= wrong.sum() <= some.wrong.high
    holes = NAMES[given].astype(object)
    holes[:5] = None
    assert (rank(None, holes, probabilities=own).frame.tail(5)["suggested_label"].notna()).all()


def test_a_table_of_probabilities_is_read_by_the_names_of_its_columns(made):
    clean, given, own = made
    table = pd.DataFrame(own, columns=NAMES)[["cat", "ant", "bee"]].assign(more=0.0)
    plain, found = (rank(clean.features, NAMES[given], probabilities=one) for one in (own, table))
    assert found.frame["suspicion"].tolist() == pytest.approx(plain.frame["suspicion"].tolist())
    with pytest.raises(InvalidInput, match="no column for the class 'bee'"):
        rank(clean.features, NAMES[given], probabilities=table[["cat", "ant", "more"]])


def test_columns_without_names_are_refused_where_their_order_is_not_certain():
    even = np.full((4, 2), 0.5)
    assert predicted_by_class(even, ["9", "10"], 4, "p") == pytest.approx(even)
    for names, text in ((["item 9", "item 10"], False), (["9", "10"], True), (["a", "B"], False)):
        with pytest.raises(InvalidInput, match="name the columns"):
            predicted_by_class(even, names, 4, "p", text=text)
    with pytest.raises(InvalidInput, match="2 columns for 1 class"):
        predicted_by_class(even, ["a"], 4, "p")


def test_without_data_and_probabilities_there_is_nothing_to_rank():
    with pytest.raises(InvalidInput, match="neither data nor probabilities"):
        rank(None, [0, 1])
    with pytest.raises(InvalidInput, match="give trusted_probabilities"):
        rank(None, [0, 1], probabilities=np.full((2, 2), 0.5), trusted=(None, [0]))
    with pytest.raises(InvalidInput, match=r"give \(None, labels\)"):
        rank(None, [0, 1], probabilities=np.full((2, 2), 0.5), trusted=([[1.0]], [0]))
    with pytest.raises(InvalidInput, match="there are no probabilities"):
        rank(np.eye(2), [0, 1], trusted=(np.eye(2), [0, 1]), trusted_probabilities=np.full((2, 2), 0.5))
