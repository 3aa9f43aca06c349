import json
import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cleaning.errors import InvalidInput
from evaluation.labels.forms.fitting import USES
from evaluation.labels.forms.found import Options
from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.rounds import first_round
from evaluation.labels.page.views import Views
from evaluation.labels.review_folder import COLUMNS, read_description, reopen
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import FORMS, NAMES, Rows, challenge, csv_of, npz_of, ranking, run
from tests.support import ENCODER

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
    assert "1 category, one-hot: island" in out
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
        f"24 rows; pictures embedded by {ENCODER}; labels from the folder names, 2 names\n"
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


def test_arrays_are_standardised_on_demand(rows, tmp_path, capsys):
    run(
        capsys,
        "rank",
        npz_of(tmp_path / "a.npz", X=rows.X * [1, 10, 100, 1000] + 7, y=rows.names),
        "--scaling=standard",
    )
    plain = (rows.X - rows.X.mean(axis=0)) / rows.X.std(axis=0)
    run(capsys, "rank", challenge(tmp_path / "c.parquet", plain, rows.numbers))
    assert ranking(tmp_path / "a_review")["row"].tolist() == ranking(tmp_path / "c_review")["row"].tolist()
    source, _ = reopen(tmp_path / "a_review")
    np.testing.assert_allclose(source.features.std(axis=0), 1, rtol=1e-5)


def test_pictures_in_every_form_have_the_same_ranking(photos, tmp_path, capsys):
    run(capsys, "rank", photos)
    expected = ranking(tmp_path / "photos_review")
    files = sorted(path for path in photos.rglob("*.png"))
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in files:
        (flat / path.name).write_bytes(path.read_bytes())
    frame = pd.DataFrame({"code": [path.stem for path in files], "breed": [path.parent.name for path in files]})
    frame.to_csv(tmp_path / "breeds.csv", index=False)
    status, out, _ = run(capsys, "rank", flat, f"--labels={tmp_path / 'breeds.csv'}")
    assert status == 0
    assert f"pictures from `code`, embedded by {ENCODER}; labels from `breed`, 2 names" in out
    stored = [{"bytes": path.read_bytes(), "path": f"x/{path.name}"} for path in files]
    pq.write_table(
        pa.table({"image": stored, "label": frame["breed"].tolist()}), tmp_path / "h.parquet", row_group_size=5
    )
    assert f"pictures from `image`, embedded by {ENCODER}" in run(capsys, "rank", tmp_path / "h.parquet")[1]
    frame.assign(path=[str(path.relative_to(tmp_path)) for path in files])[["path", "breed"]].to_csv(
        tmp_path / "paths.csv", index=False
    )
    assert f"pictures from `path`, embedded by {ENCODER}" in run(capsys, "rank", tmp_path / "paths.csv")[1]
    for name in ("flat", "h", "paths"):
        found = ranking(tmp_path / f"{name}_review")
        assert found["row"].tolist() == expected["row"].tolist(), name
        assert found["suggested_label"].tolist() == expected["suggested_label"].tolist()
        source, _ = reopen(tmp_path / f"{name}_review")
        assert [source.picture(row) for row in range(24)] == [path.read_bytes() for path in files]


def test_trusted_rows_may_come_in_any_form(rows, tmp_path, capsys):
    expected = None
    trusted = {
        "challenge": challenge(tmp_path / "tc.parquet", rows.trusted_X, rows.trusted_names == "x"),
        "npz": npz_of(tmp_path / "tn.npz", X=rows.trusted_X, y=rows.trusted_names),
        "csv": tmp_path / "tt.csv",
    }
    pd.DataFrame(rows.trusted_X, columns=[f"e{n}" for n in range(4)]).assign(label=rows.trusted_names).to_csv(
        trusted["csv"], index=False
    )
    np.save(tmp_path / "tX.npy", rows.trusted_X)
    np.save(tmp_path / "labels_of_t.npy", rows.trusted_names)
    source = csv_of(tmp_path / "t.csv", rows)
    for options in (
        [f"--trusted={trusted['npz']}"],
        [f"--trusted={trusted['csv']}"],
        [f"--trusted={tmp_path / 'tX.npy'}", f"--trusted-labels={tmp_path / 'labels_of_t.npy'}"],
    ):
        assert run(capsys, "rank", source, *options)[0] == 0
        found = ranking(tmp_path / "t_review")["row"].tolist()
        expected = expected or found
        assert found == expected
        first, second = reopen(tmp_path / "t_review")
        assert second is not None
        assert first.classes == second.classes == NAMES
        assert second.features.shape == (60, 4)
    err = run(capsys, "rank", source, f"--trusted={trusted['challenge']}")[2]
    assert "its classes (1 in all: 0) are not those to rank (3 in all: bird, cat, dog)" in err
    names = rows.frame(e9=1.0).drop(columns="e0")
    names.to_csv(tmp_path / "other.csv", index=False)
    assert (
        "other.csv: there is no column 'e0'. Fix: did you mean"
        in run(capsys, "rank", source, f"--trusted={tmp_path / 'other.csv'}", "--scaling=standard")[2]
    )


def test_a_column_without_a_value_is_left_out_and_said_in_every_form(rows, tmp_path, capsys):
    frame = rows.frame(notes=None, more=np.nan)
    frame.to_csv(tmp_path / "c.csv", index=False)
    frame.to_parquet(tmp_path / "p.parquet", index=False)
    run(capsys, "rank", csv_of(tmp_path / "t.csv", rows))
    for name in ("c.csv", "p.parquet"):
        status, out, _ = run(capsys, "rank", tmp_path / name)
        assert (status, "as they are; ids are row numbers, `notes`, `more` left out (no value)\n" in out) == (0, True)
        assert ranking(tmp_path / f"{name[0]}_review")["row"].equals(ranking(tmp_path / "t_review")["row"])
    err = run(capsys, "rank", tmp_path / "c.csv", "--features=e0,notes")[2]
    assert "column notes: there is no value in it. Fix: fill it in, or leave it out: --features=… without notes" in err


def test_few_trusted_rows_in_many_classes_are_classes_by_the_names_of_the_others(tmp_path, capsys):
    points, names = np.eye(30, dtype=np.float32), np.array([f"c{number}" for number in range(30)])
    source = npz_of(tmp_path / "a.npz", X=np.repeat(points, 3, axis=0), y=np.repeat(names, 3))
    trusted = npz_of(tmp_path / "t.npz", X=points[:25], y=names[:25])
    status, out, err = run(capsys, "rank", source, f"--trusted={trusted}", f"--output={tmp_path / 'o.csv'}")
    assert (status, "25 names" in out, "UserWarning" in err) == (0, True, False)


def test_trusted_rows_that_are_training_rows_are_said(rows, tmp_path, capsys):
    source = csv_of(tmp_path / "t.csv", rows)
    status, _, err = run(capsys, "rank", source, f"--trusted={source}")
    assert status == 0
    assert "all 120 trusted rows are also training rows, with the same labels" in err
    assert any(
        "also training rows" in one for one in json.loads((tmp_path / "t_review/source.json").read_text())["caveats"]
    )


def test_a_constant_embedding_and_a_single_class_are_said(tmp_path, capsys):
    status, out, err = run(capsys, "rank", npz_of(tmp_path / "a.npz", X=np.ones((20, 2)), y=np.arange(20) % 2))
    assert status == 0
    assert "all rows have the same embedding, so the order means nothing" in err
    assert "are wrong (" not in out
    assert "to expect" not in out
    assert "The data cannot tell how many labels are wrong. Go on while you still find some." in out
    status, _, err = run(capsys, "rank", npz_of(tmp_path / "a.npz", X=np.ones((20, 2)), y=np.array(["cat"] * 20)))
    assert status == 0
    assert "every label is cat; with only one class, wrong labels cannot be found" in err


def test_the_table_alone_and_nothing_else(rows, tmp_path, capsys):
    source = csv_of(tmp_path / "t.csv", rows)
    for name in ("list.csv", "list.parquet"):
        status, out, _ = run(capsys, "rank", source, f"--output={tmp_path / name}")
        assert status == 0
        assert "next:" not in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.csv", "list.parquet", "t.csv"]
    one, other = pd.read_csv(tmp_path / "list.csv"), pd.read_parquet(tmp_path / "list.parquet")
    assert tuple(other.columns) == COLUMNS
    assert one["row"].tolist() == other["row"].tolist()
    assert run(capsys, "rank", source, f"--review={tmp_path / 'mine'}")[0] == 0
    assert ranking(tmp_path / "mine")["row"].astype(int).tolist() == one["row"].tolist()
    first = (tmp_path / "mine" / "ranking.csv").read_bytes()
    run(capsys, "rank", source, f"--review={tmp_path / 'mine'}")
    assert (tmp_path / "mine" / "ranking.csv").read_bytes() == first


def test_a_next_round_knows_what_was_looked_at(rows, tmp_path, capsys):
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    _, out, _ = run(capsys, "rank", source)
    assert re.search(r"wrong labels to expect: \d+ to \d+ in the next 20 looks", out)
    first = ranking(folder)
    looked = first["row"].astype(int).tolist()[:20]
    truth = {row: str(rows.truth[row]) for row in looked}
    decide(folder, {**{row: f"={name}" for row, name in truth.items()}, looked[3]: "drop", looked[7]: "=a new class"})
    log = (folder / "decisions.jsonl").read_bytes()
    wrong = sum(name != rows.names[row] for row, name in truth.items() if row not in (looked[3], looked[7])) + 2
    status, out, err = run(capsys, "rank", source)
    assert (status, err) == (0, "")
    assert f"looked at: 20, of which {wrong} were wrong (at the end of the list)" in out
    assert "of the other 100 are wrong" in out
    second = ranking(folder)
    assert set(second["row"].astype(int)[-20:]) == set(looked)
    shown = first_round(open_review(folder), [*NAMES, "a new class"])
    stay = re.search(r"then (\d+) to (\d+) wrong labels may stay", shown.advice(np.zeros(120, dtype=bool), shown.left))
    assert stay
    assert int(stay[2]) <= shown.left.high
    told = second.set_index(second["row"].astype(int))["decision"]
    assert told[looked[3]] == "drop"
    assert told[looked[7]] == "label: a new class"
    assert (told[~told.index.isin(looked)].fillna("") == "").all()
    assert (folder / "decisions.jsonl").read_bytes() == log
    data = pd.read_csv(source).drop(index=looked[0])
    data.to_csv(source, index=False)
    assert "not count, because the row is gone or has changed since" in run(capsys, "rank", source)[2]


def test_a_look_at_the_drawn_rows_makes_the_number_better(rows, tmp_path, capsys):
    """The page begins with them, if asked to; what is decided about other rows does not replace them."""
    source, folder = csv_of(tmp_path / "t.csv", rows), tmp_path / "t_review"
    _, out, _ = run(capsys, "rank", source)
    before = read_description(folder)
    told = re.search(r"after a look at 30 drawn rows, the number should be known to about ± (\d+)", out)
    assert told
    assert f"fixfirst review {folder} --first-looks" in out
    review = open_review(folder)
    drawn = [review.rows[name] for name in before.first_looks]
    assert len(set(drawn)) == 30
    desk = Desk(review, "ann", 1000, first_looks=True)
    assert desk.round.order[:30].tolist() == drawn
    assert "The first 30 rows were drawn at random" in Views(desk).state()["caveats"][0]
    others = [row for row in Desk(review, "ann", 1000).round.order.tolist() if row not in drawn]
    decide(folder, {row: f"={rows.truth[row]}" for row in [*drawn[:29], *others[:10]]})
    assert "after a look at 30 drawn rows" in run(capsys, "rank", source)[1]
    desk = Desk(open_review(folder), "ann", 1, first_looks=True)
    desk.wait()
    assert "The first row was drawn at random" in Views(desk).state()["caveats"][0]
    assert desk.round.order[0] == drawn[29]
    assert desk.round.forecast(desk.round.order[:20]) is not None
    decide(folder, {drawn[29]: f"={rows.truth[drawn[29]]}"}, second=100)
    _, out, _ = run(capsys, "rank", source)
    after = read_description(folder)
    assert "drawn rows" not in out
    assert after.count.high - after.count.low < 0.75 * (before.count.high - before.count.low)
    assert after.count.high - after.count.low <= 2 * int(told[1]) + 10
    left = [rows.names[row] != rows.truth[row] for row in range(120) if row not in {*drawn, *others[:10]}]
    assert after.count.low <= sum(left) <= after.count.high
    assert after.first_looks == before.first_looks
    run(capsys, "rank", source, f"--trusted={csv_of(tmp_path / 'trusted.csv', Rows(40))}")
    later = read_description(folder)
    assert later.first_looks == before.first_looks
    assert later.count.high - later.count.low <= after.count.high - after.count.low
    assert later.count.low <= sum(left) <= later.count.high


def test_nothing_is_drawn_where_rows_are_trusted(rows, tmp_path, capsys):
    source = csv_of(tmp_path / "t.csv", rows)
    _, out, _ = run(capsys, "rank", source, f"--trusted={csv_of(tmp_path / 'trusted.csv', Rows(40))}")
    assert "drawn rows" not in out
    assert read_description(tmp_path / "t_review").first_looks == []


def test_wrong_options_are_one_sentence(rows, tmp_path, capsys):
    source = csv_of(tmp_path / "t.csv", rows)
    assert run(capsys, "rank", source, "--seed=-1")[2] == "error: --seed: it is -1. Fix: use a number from 0.\n"
    assert "--jobs: it is 0" in run(capsys, "rank", source, "--jobs=0")[2]
    assert "there is no such file" in run(capsys, "rank", tmp_path / "none")[2]
    narrow = npz_of(tmp_path / "n.npz", X=rows.X[:, :2], y=rows.names)
    assert "its embeddings have 2 dimensions, those of" in run(capsys, "rank", source, f"--trusted={narrow}")[2]
    (tmp_path / "photos").mkdir()
    assert (
        "it is in a folder that the command reads"
        in run(capsys, "rank", tmp_path / "photos", f"--review={tmp_path / 'photos' / 'r'}")[2]
    )


def test_sources_of_one_name_do_not_share_a_review_unless_it_is_named(rows, tmp_path, capsys):
    source, other = csv_of(tmp_path / "t.csv", rows), npz_of(tmp_path / "t.npz", X=rows.X, y=rows.names)
    assert run(capsys, "rank", source)[0] == 0
    before = (tmp_path / "t_review" / "source.json").read_text()
    problem = f"this is the review of another source, {source}. Fix: name another folder with --review=DIR"
    assert problem in run(capsys, "rank", other)[2]
    assert (tmp_path / "t_review" / "source.json").read_text() == before
    assert run(capsys, "rank", other, f"--output={tmp_path / 'o.csv'}")[0] == 0
    assert run(capsys, "rank", other, f"--review={tmp_path / 't_review'}")[0] == 0
    source.unlink()
    assert run(capsys, "rank", other)[0] == 0


def test_a_review_folder_moves_with_its_source(rows, tmp_path, capsys):
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "X.npy", rows.X)
    np.save(tmp_path / "a" / "names.npy", rows.names)
    run(capsys, "rank", tmp_path / "a" / "X.npy", f"--labels={tmp_path / 'a' / 'names.npy'}")
    (tmp_path / "a").rename(tmp_path / "b")
    source, _ = reopen(tmp_path / "b" / "X_review")
    assert source.path.resolve() == tmp_path / "b" / "X.npy"
    assert len(source) == 120
    description = json.loads((tmp_path / "b" / "X_review" / "source.json").read_text())
    assert str(tmp_path) not in json.dumps(description)
    assert set(description["files"]) == {"../X.npy", "../names.npy"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "this is not JSON"),
        ("[]", "Input should be a valid dictionary"),
        ('{"version": 1}', "Field required"),
        (None, "the classes of the source are no longer the same"),
    ],
)
def test_a_broken_review_folder_is_one_sentence(rows, tmp_path, capsys, content, message):
    source = csv_of(tmp_path / "t.csv", rows)
    run(capsys, "rank", source)
    if content is None:
        source.write_text(source.read_text().replace("dog", "fox"))
    else:
        (tmp_path / "t_review" / "source.json").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        reopen(tmp_path / "t_review")


def test_labels_may_be_in_a_file_of_their_own(rows, photos, tmp_path, capsys):
    run(capsys, "embed", photos, f"--output={tmp_path / 'e.parquet'}")
    run(capsys, "rank", tmp_path / "e.parquet")
    expected = ranking(tmp_path / "e_review")
    (photos / "red" / "04.png").rename(photos / "04.png")
    run(capsys, "embed", photos, f"--output={tmp_path / 'flat.parquet'}")
    assert (
        "some files are in no folder of a class (1 in all: 04.png)" in run(capsys, "rank", tmp_path / "flat.parquet")[2]
    )
    names = pd.read_parquet(tmp_path / "flat.parquet")["filename"]
    table = pd.DataFrame({"path": names, "kind": [name.split("/")[0].replace("04.png", "red") for name in names]})
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "labels.csv", index=False)
    status, out, _ = run(capsys, "rank", tmp_path / "flat.parquet", f"--labels={tmp_path / 'labels.csv'}")
    assert status == 0
    assert "labels from labels.csv, 2 names" in out
    found = ranking(tmp_path / "flat_review")
    assert found["id"].str[-6:].tolist() == expected["id"].str[-6:].tolist()
    assert reopen(tmp_path / "flat_review")[0].classes == ("blue", "red")
    table[1:].to_csv(tmp_path / "labels.csv", index=False)
    run(capsys, "rank", tmp_path / "flat.parquet", f"--labels={tmp_path / 'labels.csv'}")
    assert ranking(tmp_path / "flat_review")["given_label"].tolist()[-1] == ""
    table.loc[3, "path"] = "none.png"
    table.to_csv(tmp_path / "labels.csv", index=False)
    err = run(capsys, "rank", tmp_path / "flat.parquet", f"--labels={tmp_path / 'labels.csv'}")[2]
    assert "labels.csv, line 5 (row 3), column path: no row has the id 'none.png'" in err
    (tmp_path / "labels.csv").unlink()
    np.save(tmp_path / "X.npy", rows.X)
    numbered = pd.DataFrame({"id": range(120), "label": rows.names})
    numbered[::-1].to_csv(tmp_path / "y.csv", index=False)
    run(capsys, "rank", tmp_path / "X.npy")
    run(capsys, "rank", npz_of(tmp_path / "a.npz", X=rows.X, y=rows.names))
    assert ranking(tmp_path / "X_review")["row"].tolist() == ranking(tmp_path / "a_review")["row"].tolist()


def test_trusted_pictures_are_embedded_and_kept_too(photos, tmp_path, capsys):
    checked = tmp_path / "checked"
    for path in sorted(photos.rglob("*.png"))[::2]:
        truth = "red" if int(path.stem) % 2 else "blue"
        (checked / truth).mkdir(parents=True, exist_ok=True)
        pixels = np.asarray(Image.open(path)).astype(int) + 3
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(checked / truth / path.name)
    status, out, _ = run(capsys, "rank", photos, f"--trusted={checked}", "--jobs=2")
    assert status == 0
    assert f"trusted: 12 rows; pictures embedded by {ENCODER}; labels from the folder names, 2 names" in out
    assert ranking(tmp_path / "photos_review").iloc[0]["id"] == "red/04.png"
    _, trusted = reopen(tmp_path / "photos_review")
    assert trusted is not None
    assert trusted.picture(0) == (checked / trusted.ids[0]).read_bytes()
    assert (tmp_path / "photos_review" / "trusted_embeddings.parquet").is_file()
    run(capsys, "rank", photos, f"--trusted={checked}", f"--output={tmp_path / 'list.csv'}")
    assert pd.read_csv(tmp_path / "list.csv")["id"].tolist() == ranking(tmp_path / "photos_review")["id"].tolist()


def test_names_that_spreadsheets_compute_stay_as_they_are_and_are_pointed_out(tmp_path, capsys):
    rows = Rows(60)
    names = np.array(["=1+1", "+cat", "@dog"])[rows.numbers]
    ids = [f"-row {row}" for row in range(60)]
    rows.frame(id=ids).assign(label=names).to_csv(tmp_path / "t.csv", index=False)
    folder, warning = tmp_path / "t_review", "warning: a spreadsheet takes '+cat' for a formula: import the columns of"
    status, _, err = run(capsys, "rank", tmp_path / "t.csv")
    assert (status, warning in err) == (0, True)
    decide(folder, {3: "==1+1", 4: "=@dog"})
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    found = ranking(folder).set_index("row")
    assert found["id"].to_dict() == {str(row): name for row, name in enumerate(ids)}
    assert found["given_label"].to_dict() == {str(row): name for row, name in enumerate(names)}
    assert found.loc[["3", "4"], "decision"].tolist() == ["label: =1+1", "label: @dog"]
    assert run(capsys, "export", folder, "--to=csv", f"--output={tmp_path / 'x.csv'}")[0] == 0
    assert pd.read_csv(tmp_path / "x.csv")["given_label"].tolist() == names.tolist()
    assert run(capsys, "apply", folder, f"--output={tmp_path / 'clean.csv'}")[0] == 0
    assert pd.read_csv(tmp_path / "clean.csv")["label"].tolist()[3:5] == ["=1+1", "@dog"]
    rows.frame(id=range(60)).assign(label=rows.numbers - 1).to_csv(tmp_path / "n.csv", index=False)
    assert "formula" not in run(capsys, "rank", tmp_path / "n.csv")[2]


def test_where_the_beliefs_tell_nothing_the_next_looks_are_not_foretold(tmp_path, capsys):
    """Once all drawn rows are decided, there is a number of wrong labels all the same."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "noise.npz", features=rng.normal(size=(120, 300)), labels=rng.integers(0, 2, 120))
    assert "nothing shows that the embeddings tell the labels apart" in run(capsys, "rank", tmp_path / "noise.npz")[2]
    review = tmp_path / "noise_review"
    drawn = map(int, read_description(review).first_looks)
    decide(review, dict.fromkeys(drawn, "keep"))
    status, out, err = run(capsys, "rank", tmp_path / "noise.npz")
    assert status == 0
    assert "are wrong" in out + err
    assert "wrong labels to expect" not in out + err


@pytest.mark.parametrize("command", ["rank", "apply"])
def test_decisions_that_are_typed_into_the_ranking_are_not_lost_in_silence(command, rows, tmp_path, capsys):
    run(capsys, "rank", csv_of(tmp_path / "rows.csv", rows))
    review = tmp_path / "rows_review"
    table = ranking(review)
    table.loc[[2, 5], "decision"] = "cat"
    table.to_csv(review / "ranking.csv", index=False)
    asked = [tmp_path / "rows.csv"] if command == "rank" else [review, f"--output={tmp_path / 'out.csv'}"]
    status, _, err = run(capsys, command, *asked)
    assert status == 1
    assert f"column decision, row {table['id'][2]!r}: 2 decisions were typed into this file" in err
    assert ranking(review)["decision"][2] == "cat"


def test_labels_of_trusted_rows_without_trusted_rows_are_refused(rows, tmp_path, capsys):
    source = csv_of(tmp_path / "rows.csv", rows)
    status, _, err = run(capsys, "rank", source, f"--trusted-labels={source}")
    assert status == 1
    assert err == "error: --trusted-labels: there are no trusted rows. Fix: give --trusted as well.\n"


def test_it_is_known_of_every_option_of_a_source_where_it_has_an_effect():
    everywhere = {"labels", "annotators", "probabilities", "jobs"}
    assert {one.name for one in fields(Options)} == USES.keys() | everywhere


_USELESS = {
    "csv": {
        "--encoder=classical": "for pictures, and t.csv is a table whose rows are judged by their columns",
        "--encoder-size=8": "for pictures, and t.csv is a table whose rows are judged by their columns",
        "--on-undecodable=skip": "for files in folders of classes, and t.csv is a table. Fix: ",
    },
    "parquet, lists": {"--encoder=classical": "for pictures, and l.parquet is a table whose rows are judged by an emb"},
    "npy": {
        "--label-column=y": "the name of labels in a table or an npz, and X.npy has its labels in an npy",
        "--features=a,b": "for columns of numbers in a table, and X.npy is an npy",
        "--id-column=id": "a column of a table, and X.npy is an npy",
        "--text-column=t": "for texts in a table, and X.npy is an npy",
        "--embedding-column=e": "for a column of a table, or an array of an npz, and X.npy is an npy",
        "--encoder=classical": "for pictures, and X.npy is an npy. Fix: leave it out, or name the pictures",
    },
    "npz": {
        "--features=a": "for columns of numbers in a table, and a.npz is an npz",
        "--image-column=a": "for pictures that a table names or holds, and a.npz is an npz. Fix: leave it out, or",
        "--id-column=ids": "a column of a table, and a.npz is an npz",
    },
    "class folders": {
        "--label-column=y": "and photos has the names of its folders as labels. Fix: leave it out, or name the table",
        "--classes": "for labels that may be numbers, and photos has the names of its folders as labels",
        "--scaling=none": "for numbers, and photos holds pictures",
        "--features=a": "for columns of numbers in a table, and photos holds pictures",
        "--number-rows": "for rows that may have ids of their own, and photos holds pictures",
    },
}


@pytest.mark.parametrize("form", ["csv", "feather", "npz", "npy", "parquet, lists", "columns"])
def test_numbers_that_are_far_from_0_and_close_together_stay_apart(form, tmp_path, capsys):
    """Such as times in seconds: float32 would round 1.7e9 to the next 128."""
    rows, near = Rows(), Rows()
    rows.X = rows.X.astype(float) + 1.7e9
    near.X = (rows.X - rows.X.mean(axis=0)).astype(np.float32)
    more = [f"--features={','.join(f'e{place}' for place in range(4))}", "--scaling=none"] if form == "columns" else []
    path = FORMS["csv" if form == "columns" else form](tmp_path, rows)
    pd.DataFrame(rows.trusted_X.astype(float) + 1.7e9).add_prefix("e").assign(label=rows.trusted_names).to_csv(
        tmp_path / "known.csv", index=False
    )
    known = [f"--trusted={tmp_path / 'known.csv'}"] if form in ("csv", "columns") else []
    assert run(capsys, "rank", path, *more, *known)[0] == 0
    source, trusted = reopen(tmp_path / f"{path.stem}_review")
    np.testing.assert_allclose(source.features, near.X, atol=1e-6)
    if trusted is not None:
        np.testing.assert_allclose(trusted.features, rows.trusted_X - rows.X.mean(axis=0) + 1.7e9, atol=1e-6)
    else:
        npz_of(tmp_path / "near.npz", X=near.X, y=near.names)
        assert run(capsys, "rank", tmp_path / "near.npz")[0] == 0
        expected, found = ranking(tmp_path / "near_review"), ranking(tmp_path / f"{path.stem}_review")
        np.testing.assert_allclose(found["suspicion"].astype(float), expected["suspicion"].astype(float), atol=1e-4)


@pytest.mark.parametrize("form", _USELESS)
def test_an_option_without_effect_is_refused_with_what_the_source_is(form, rows, tmp_path, capsys):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    path = FORMS[form](tmp_path, rows) if form in FORMS else tmp_path / "photos"
    for option, problem in _USELESS[form].items():
        status, _, err = run(capsys, "rank", path, option)
        assert status == 1
        assert err.startswith(f"error: {option.partition('=')[0]}: it is ")
        assert problem in err
    assert not list(tmp_path.glob("*_review/ranking.csv"))


def test_an_option_may_be_meant_for_the_trusted_rows(rows, tmp_path, capsys):
    source, trusted = npz_of(tmp_path / "a.npz", X=rows.X, y=rows.names), tmp_path / "known.parquet"
    columns = {"e": list(rows.trusted_X), "name": rows.trusted_names, "code": range(60), "label": rows.trusted_names}
    pd.DataFrame(columns).to_parquet(trusted)
    assert run(capsys, "rank", source, f"--trusted={trusted}", "--id-column=code")[0] == 0
    err = run(capsys, "rank", source, f"--trusted={trusted}", "--encoder=classical")[2]
    assert "--encoder: it is for pictures, and a.npz is an npz" in err


def test_a_table_alone_with_decisions_needs_a_review_that_has_them(rows, tmp_path, capsys):
    path, output = FORMS["npz"](tmp_path, rows), f"--output={tmp_path / 'found.csv'}"
    asked = [path, output, f"--review={tmp_path / 'a_review'}"]
    assert "--review: with --output, it names a review whose decisions count" in run(capsys, "rank", *asked)[2]
    assert run(capsys, "rank", path)[0] == 0
    decide(tmp_path / "a_review", {0: "keep"})
    assert run(capsys, "rank", *asked)[0] == 0
    assert pd.read_csv(tmp_path / "found.csv", index_col="row")["decision"][0] == "keep"
