import numpy as np
import pytest

from cleaning import GroundTruth, InvalidInput
from evaluation.submissions.round_logs import Round, log_text, method_in_rounds, ranker_in_rounds, read_every, read_log

ROUNDS = [Round(rows=(3, 0), labels=(1, 0)), Round(rows=(4, 1), labels=(0, 2)), Round(rows=(2,), labels=(1,))]
GOOD = log_text(2, ROUNDS)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "x_m.rounds"
        path.write_text(text)
        return path

    return write


def test_a_log_is_read_as_it_was_written(written):
    path = written(GOOD)
    log = read_log(path, 5)
    assert read_every(path, 5) == log.every == 2
    assert log.ranking.order.tolist() == [3, 0, 4, 1, 2]
    assert log.labels.tolist() == [1, 0, 0, 2, 1]
    log.refuse_other_labels(path, GroundTruth(np.array([0, 2, 1, 1, 0])))
    with pytest.raises(InvalidInput, match=r"x_m\.rounds, line 3: row 1 has the label 2, and the truth 0\. Fix: run"):
        log.refuse_other_labels(path, GroundTruth(np.array([0, 0, 1, 1, 0])))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: this is not a line of a round log"),
        ('{"every": 0}\n', "line 1: this is not a line of a round log .every: Input should be greater"),
        ('{"every": 2, "x": 1}\n', "line 1: .*x: Extra inputs"),
        (GOOD.splitlines()[0], "it ends after 0 of 5 rows"),
        (GOOD.rpartition("\n{")[0], "it ends after 4 of 5 rows"),
        (GOOD + '{"rows":[1],"labels":[1]}\n', "line 5: 1 row and 1 label, where 0 of both are due"),
        (GOOD.replace("[3,0]", "[3]"), "line 2: 1 row and 2 labels, where 2 of both are due"),
        (GOOD.replace("[2]", "[3]"), r"duplicate rows \(1 in all: 3\)"),
        (GOOD.replace("[2]", "[9]"), r"rows outside 0 … 4 \(1 in all: 9\)"),
        (GOOD.replace("[2]", "[-1]"), r"line 4: .*rows\.0: Input should be greater"),
        (GOOD.replace("[2]", "[2.0]"), r"line 4: .*valid integer"),
        (GOOD.replace("[2]", f"[{'9' * 5000}]"), r"line 4: this is not"),
    ],
)
def test_anything_else_is_one_sentence(written, text, message):
    with pytest.raises(InvalidInput, match=message):
        read_log(written(text), 5)


def test_the_name_of_a_method_in_rounds_says_which_ranker_it_was():
    assert ranker_in_rounds(method_in_rounds("mine (a b)", 20)) == "mine (a b)"
    assert ranker_in_rounds("mine") is None
    assert ranker_in_rounds("mine in rounds of 0") is None
