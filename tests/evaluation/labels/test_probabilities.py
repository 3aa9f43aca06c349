"""`fixfirst rank --probabilities`: predictions of one's own model, beside what the rows have or alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from evaluation.labels.review_folder import reopen
from tests.evaluation.labels.own_data import NAMES, Rows, csv_of, npz_of, ranking, run


@pytest.fixture(scope="module")
def rows():
    return Rows()


@pytest.fixture(scope="module")
def own(rows):
    return cross_val_predict(LogisticRegression(), rows.X, rows.numbers, method="predict_proba")


def test_they_are_one_more_voice_from_an_npy_or_from_named_columns(rows, own, tmp_path, capsys):
    path = csv_of(tmp_path / "t.csv", rows)
    run(capsys, "rank", path)
    plain = ranking(tmp_path / "t_review")
    np.save(tmp_path / "p.npy", own)
    status, out, _ = run(capsys, "rank", path, f"--probabilities={tmp_path / 'p.npy'}")
    assert status == 0
    assert "probabilities from p.npy" in out
    found = ranking(tmp_path / "t_review")
    assert found["suspicion"].tolist() != plain["suspicion"].tolist()
    assert np.mean(found["given_label"][:20] != rows.truth[found["row"].astype(int)][:20]) > 0.8
    pd.DataFrame(own, columns=NAMES)[list(NAMES[::-1])].to_csv(tmp_path / "p.csv", index=False)
    run(capsys, "rank", path, f"--probabilities={tmp_path / 'p.csv'}")
    assert ranking(tmp_path / "t_review")["row"].tolist() == found["row"].tolist()


def test_a_review_is_opened_with_them_again(rows, own, tmp_path, capsys):
    path, file = npz_of(tmp_path / "t.npz", X=rows.X, y=rows.names), tmp_path / "p.npy"
    checked = npz_of(tmp_path / "checked.npz", X=rows.trusted_X, y=rows.trusted_names)
    np.save(file, own)
    right = np.eye(3)[np.searchsorted(NAMES, rows.trusted_names)] * 0.9 + 1 / 30
    np.save(tmp_path / "q.npy", right)
    status, out, _ = run(
        capsys,
        "rank",
        path,
        f"--trusted={checked}",
        f"--probabilities={file}",
        f"--trusted-probabilities={tmp_path / 'q.npy'}",
    )
    assert status == 0
    assert "probabilities from q.npy" in out
    source, trusted = reopen(tmp_path / "t_review")
    np.testing.assert_allclose(source.probabilities, own, rtol=1e-6)
    np.testing.assert_allclose(trusted.probabilities, right, rtol=1e-6)
    np.save(file, own[::-1])
    assert (
        "p.npy: the file has changed since it was ranked"
        in run(capsys, "apply", tmp_path / "t_review", f"--output={tmp_path / 'o.npz'}")[2]
    )


def test_they_may_be_all_there_is(rows, own, tmp_path, capsys):
    np.save(tmp_path / "p.npy", own)
    np.save(tmp_path / "y.npy", rows.numbers)
    status, _, _ = run(
        capsys, "rank", tmp_path / "p.npy", f"--labels={tmp_path / 'y.npy'}", f"--probabilities={tmp_path / 'p.npy'}"
    )
    assert status == 0
    found = ranking(tmp_path / "p_review")
    assert (np.diff(found["suspicion"].astype(float)) <= 0).all()
    assert reopen(tmp_path / "p_review")[0].probabilities.shape == (120, 3)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"ant,bird\n.5,.5\n", "p.csv", "there is no column for the class 'cat'"),
        (b"bird,cat,dog\n.5,.5,0\n", "p.csv", "1 row for 120 labels"),
        (b"bird,cat,dog\n" + b".5,.5,x\n" * 120, "p.csv", "p.csv"),
        (b"bird,cat,dog\n" + b"2,3,4\n" * 120, "p.csv", "row 0: the row sums to 9, not to 1"),
        (b"", "p.npy", "not an .npy file"),
        (b"x", "p.bin", "not a file of probabilities"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(content, name, said, rows, tmp_path, capsys):
    path = csv_of(tmp_path / "t.csv", rows)
    (tmp_path / name).write_bytes(content)
    status, _, err = run(capsys, "rank", path, f"--probabilities={tmp_path / name}")
    assert status == 1
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "t_review").exists()


def test_those_of_the_trusted_rows_alone_are_refused(rows, own, tmp_path, capsys):
    path = csv_of(tmp_path / "t.csv", rows)
    np.save(tmp_path / "p.npy", own)
    status, _, err = run(capsys, "rank", path, f"--trusted={path}", f"--trusted-probabilities={tmp_path / 'p.npy'}")
    assert status == 1
    assert "there are no probabilities" in err
    status, _, err = run(capsys, "rank", path, f"--trusted-probabilities={tmp_path / 'p.npy'}")
    assert status == 1
    assert "there are no trusted rows" in err
