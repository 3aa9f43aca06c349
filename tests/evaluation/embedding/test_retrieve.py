import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaning.vectors.search import METRICS
from evaluation.cli import main
from evaluation.submissions.ranked_lists import read_lists

RNG = np.random.default_rng(0)
REFERENCES = RNG.standard_normal((40, 6)).astype(np.float32)
REFERENCES[[3, 17, 31]] = REFERENCES[8]
QUERIES = RNG.standard_normal((9, 6)).astype(np.float32)
# the order of rows is not that of ids, so that a tie shows which of them decides
R_IDS = tuple(f"r{(7 * row) % 40:02d}" for row in range(40))
Q_IDS = tuple(f"q{row}" for row in range(9))


def write(path, ids, vectors):
    if path.suffix == ".npy":
        np.save(path, vectors)
        path.with_suffix(".txt").write_text("\n".join(ids) + "\n")
    else:
        names = [f"some/{name}.jpg" for name in ids]
        pq.write_table(pa.table({"filename": names, "encoding": [row.tolist() for row in vectors]}), path)
    return path


@pytest.fixture(params=[".parquet", ".npy"])
def files(tmp_path, request):
    return [
        write(tmp_path / f"{name}{request.param}", ids, vectors)
        for name, ids, vectors in (("query", Q_IDS, QUERIES), ("reference", R_IDS, REFERENCES))
    ]


def run(capsys, *arguments):
    status = main(["retrieve", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


@pytest.mark.parametrize("metric", METRICS)
def test_lists_are_nearest_first_and_equal_ones_by_id(files, tmp_path, capsys, metric):
    output = tmp_path / "mine_near.json"
    status, out, _ = run(capsys, *files, f"--output={output}", f"--metric={metric}")
    assert (status, out) == (0, f"{output}: 9 queries, 40 references\n")
    products = QUERIES.astype(float) @ REFERENCES.T.astype(float)
    similarity = {
        "inner_product": products,
        "cosine": products / np.linalg.norm(REFERENCES.astype(float), axis=1),
        "euclidean": -np.linalg.norm(QUERIES[:, None].astype(float) - REFERENCES, axis=2),
    }[metric]
    found = {query: names for _, (query, names) in json.loads(output.read_text())}
    for row, query in enumerate(Q_IDS):
        expected = sorted(range(40), key=lambda r: (-round(similarity[row, r], 9), R_IDS[r]))
        assert found[query] == [R_IDS[r] for r in expected]
    assert float((tmp_path / "mine_near.seconds").read_text()) > 0


def test_the_npz_holds_the_same_lists_and_depth_cuts_them(files, tmp_path, capsys):
    for name in ("a.json", "a.npz"):
        assert run(capsys, *files, f"--output={tmp_path / name}", "--depth=7")[0] == 0
    text, compact = (
        read_lists(tmp_path / name, Q_IDS, R_IDS, 1000, lenient=False).ranks for name in ("a.json", "a.npz")
    )
    assert np.array_equal(text, compact)
    assert np.array_equal((text >= 0).sum(axis=1), np.full(9, 7))


def test_bad_vectors_are_one_error_and_nothing_is_written(files, tmp_path, capsys):
    query, reference = files
    hole, nothing = REFERENCES.copy(), REFERENCES.copy()
    hole[5, 2], nothing[5] = np.nan, 0
    double = (*R_IDS[:-1], R_IDS[0])
    cases = [
        (R_IDS, hole, "row", "NaN or infinite values"),
        (R_IDS, nothing, f"'{R_IDS[5]}'", "the cosine of a zero vector is undefined"),
        (R_IDS, REFERENCES[:, :5], "query", "6 columns, references have 5"),
        (double, REFERENCES, "reference", "appear more than once"),
    ]
    for ids, vectors, *parts in cases:
        write(reference, ids, vectors)
        status, _, err = run(capsys, query, reference, f"--output={tmp_path / 'a.npz'}")
        assert status == 1
        assert all(part in err for part in parts), err
        assert not list(tmp_path.glob("a.*"))


def test_odd_options_and_files_are_one_sentence(files, tmp_path, capsys):
    query, reference = files
    assert "the suffix does not name a format" in run(capsys, query, reference, "--output=a.csv")[2]
    assert "--depth: it is 0" in run(capsys, query, reference, "--output=a.npz", "--depth=0")[2]
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"no")
    broken.with_suffix(".txt").write_text("q\n")
    assert "this is not an .npy file" in run(capsys, broken, reference, f"--output={tmp_path / 'a.npz'}")[2]
    write(broken, ["one"], QUERIES)
    assert "1 id for 9 rows" in run(capsys, broken, reference, f"--output={tmp_path / 'a.npz'}")[2]
    assert "check the path" in run(capsys, tmp_path / "none.npy", reference, f"--output={tmp_path / 'a.npz'}")[2]
