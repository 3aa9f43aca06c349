import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evaluation.labels.review_folder import COLUMNS, reopen
from tests.evaluation.labels.own_data import FORMS, NAMES, Rows, challenge, csv_of, npz_of, ranking, run

NUMBERS = ["place", "row", "probability", "suspicion"]


@pytest.fixture(scope="module")
def rows():
    return Rows()


@pytest.fixture(scope="module")
def expected(rows, tmp_path_factory):
    """The ranking of the challenge's own form."""
    from evaluation.cli import main

    folder = tmp_path_factory.mktemp("challenge")
    assert main(["rank", str(challenge(folder / "c.parquet", rows.X, rows.numbers))]) == 0
    return ranking(folder / "c_review")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_has_the_same_ranking(form, rows, expected, tmp_path, capsys):
    path = FORMS[form](tmp_path, rows)
    status, out, _ = run(capsys, "rank", path)
    assert status == 0
    assert out.startswith("120 rows; ")
    folder = tmp_path / f"{path.stem}_review"
    found = ranking(folder)
    assert tuple(found.columns) == COLUMNS
    assert found["row"].tolist() == expected["row"].tolist()
    np.testing.assert_allclose(found[NUMBERS].astype(float), expected[NUMBERS].astype(float), atol=2e-6)
    numbered = form in ("challenge", "npz, float64")
    for column in ("given_label", "suggested_label"):
        names = expected[column] if numbered else [NAMES[int(number)] for number in expected[column]]
        assert found[column].tolist() == list(names)
    assert (folder / "decisions.jsonl").read_bytes() == b""
    source, trusted = reopen(folder)
    assert trusted is None
    np.testing.assert_allclose(source.features, rows.X, rtol=1e-6)
    assert source.said == json.loads((folder / "source.json").read_text())["said"]
    assert f"next: fixfirst review {folder}" in out


def test_most_of_the_first_labels_are_wrong_and_the_suggestions_right(rows, tmp_path, capsys):
    path = csv_of(tmp_path / "t.csv", rows)
    checked = npz_of(tmp_path / "checked.npz", X=rows.trusted_X, y=rows.trusted_names)
    status, out, _ = run(capsys, "rank", path, f"--trusted={checked}")
    assert status == 0
    assert "of them are wrong (" in out
    assert "trusted: 60 rows; features from `X`, 4 numbers each; labels from `y`, 3 names" in out
    found = ranking(tmp_path / "t_review")
    truth = rows.truth[found["row"].astype(int)]
    assert np.mean(found["given_label"][:20] != truth[:20]) > 0.7
    changed = found["suggested_label"] != found["given_label"]
    assert changed.sum() >= 15
    assert np.mean(found["suggested_label"][changed] == truth[changed]) > 0.7


def test_tables_of_numbers_are_standardised_and_categories_one_hot(rows, tmp_path, capsys):
    frame = pd.DataFrame(rows.X * [1, 10, 100, 1000], columns=["width", "height", "depth", "price"])
    frame["species"] = rows.names
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    _, out, _ = run(capsys, "rank", path)
    assert "labels from `species`, 3 names; 4 numeric columns `width` … `price`, standardised; ids are row" in out
    plain = (rows.X - rows.X.mean(axis=0)) / rows.X.std(axis=0)
    run(capsys, "rank", challenge(tmp_path / "c.parquet", plain, rows.numbers))
    assert ranking(tmp_path / "t_review")["row"].tolist() == ranking(tmp_path / "c_review")["row"].tolist()
    frame["island"] = np.where(np.arange(120) % 2, "north", "south")
    frame.to_csv(path, index=False)
    assert "the labels may be in species or island. Fix: say which: --label-column=NAME" in run(capsys, "rank", path)[2]
    _, out, _ = run(capsys, "rank", path, "--label-column=species")
    assert "1 categories, one-hot: island" in out
    source, _ = reopen(tmp_path / "t_review")
    assert source.features.shape == (120, 6)
    assert source.columns(1) == {name: str(frame[name][1]) for name in frame}


@pytest.fixture
def photos(tmp_path):
    """Pictures of two colours in class folders; one in the wrong folder."""
    rng = np.random.default_rng(0)
    for number in range(24):
        colour = (200, 60, 60) if number % 2 else (60, 60, 200)
        name = "red" if number % 2 or number == 4 else "blue"
        pixels = np.clip(np.array(colour) + rng.normal(0, 25, (16, 16, 3)), 0, 255).astype(np.uint8)
        place = tmp_path / "photos" / name / f"{number:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place)
    return tmp_path / "photos"


def test_class_folders_of_pictures_are_embedded_on_the_way_and_the_product_of_embed_is_the_same(
    photos, tmp_path, capsys
):
    status, out, _ = run(capsys, "rank", photos)
    assert status == 0
    assert out.startswith(
        "24 rows; pictures embedded by classical; labels from the folder names, 2 names\n"
        f"{tmp_path / 'photos_review' / 'ranking.csv'}: 24 labels"
    )
    found = ranking(tmp_path / "photos_review")
    assert found.iloc[0][["id", "given_label", "suggested_label"]].tolist() == ["red/04.png", "red", "blue"]
    cache = tmp_path / "photos_review" / "embeddings.parquet"
    before = cache.read_bytes()
    (tmp_path / "photos_review" / "decisions.jsonl").write_text("{}\n")
    run(capsys, "rank", photos)
    assert cache.read_bytes() == before
    assert (tmp_path / "photos_review" / "decisions.jsonl").read_text() == "{}\n"
    source, _ = reopen(tmp_path / "photos_review")
    assert source.picture(0) == (photos / source.ids[0]).read_bytes()
    run(capsys, "embed", photos, f"--output={tmp_path / 'e.parquet'}")
    _, out, _ = run(capsys, "rank", tmp_path / "e.parquet")
    assert "labels from the folder names, 2 names" in out
    again = ranking(tmp_path / "e_review")
    assert again["id"].tolist() == found["id"].tolist()
    run(
        capsys,
        "rank",
        challenge(tmp_path / "c.parquet", source.features, source.labels, list(source.ids)),
    )
    assert ranking(tmp_path / "c_review")["id"].tolist() == found["id"].tolist()
