import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluation.labels.apply.corrections import Corrections
from evaluation.labels.apply.text_table import quoted, records_of, write_text_table
from evaluation.labels.opened import open_review
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import FORMS, NAMES, Rows, npz_of, run
from tests.support import with_plain_encoder


@pytest.fixture(scope="module")
def rows():
    return Rows(n=60)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    with_plain_encoder(monkeypatch)
    folder = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for number in range(24):
        name = f"{'cat' if number % 2 else 'dog'}/{number // 2:02d}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 90, (8, 8, 3)).astype("uint8") + np.uint8(160 * (number % 2))
        Image.fromarray(pixels).save(folder / name)
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def labels_of(folder):
    review = open_review(folder)
    return [review.source.classes[code] for code in review.source.labels]


def other(name, names):
    return next(one for one in names if one != name)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_back_in_its_form_with_what_was_decided(form, rows, tmp_path, capsys):
    path = FORMS[form](tmp_path, rows)
    assert run(capsys, "rank", path)[0] == 0
    folder = tmp_path / f"{path.stem}_review"
    before = labels_of(folder)
    names = sorted(set(before))
    said = {3: f"={other(before[3], names)}", 7: f"={other(before[7], names)}", 9: "drop", 11: "keep", 12: "unsure"}
    decide(folder, said)
    output = tmp_path / "clean" / path.name
    one = output if "npy" not in form else output.parent
    status, out, err = run(capsys, "apply", folder, f"--output={one}")
    assert (status, err) == (0, "")
    assert "5 rows looked at: 2 labels changed, 1 row dropped" in out
    first = files(output.parent)
    assert run(capsys, "apply", folder, f"--output={one}")[0] == 0
    assert files(output.parent) == first
    assert run(capsys, "rank", output)[0] == 0
    wanted = [said.get(row, "")[1:] if row in (3, 7) else name for row, name in enumerate(before) if row != 9]
    again = open_review(output.parent / f"{path.stem}_review").source
    assert [again.classes[code] for code in again.labels] == wanted
    np.testing.assert_array_equal(again.features, np.delete(open_review(folder).source.features, 9, axis=0))
    changes = pd.read_csv(next(tmp_path.rglob("*_changes.csv")), dtype=str, keep_default_na=False)
    assert changes["row"].tolist() == ["3", "7", "9"]
    assert changes["change"].tolist() == ["label", "label", "drop"]
    assert changes["given_label"].tolist() == [before[row] for row in (3, 7, 9)]
    assert changes["new_label"].tolist() == [wanted[3], wanted[7], ""]


@pytest.mark.parametrize(("form", "name"), [("parquet", "T.PARQUET"), ("parquet", "t.bin"), ("feather", "t.blob")])
def test_a_table_comes_back_in_its_form_whatever_its_name_ends_in(form, name, rows, tmp_path, capsys):
    path = tmp_path / name
    rows.frame().to_parquet(path, index=False) if form == "parquet" else rows.frame().to_feather(path)
    assert run(capsys, "rank", path)[0] == 0
    decide(tmp_path / f"{path.stem}_review", {3: "=new", 9: "drop"})
    assert (
        run(capsys, "apply", tmp_path / f"{path.stem}_review", f"--output={tmp_path / 'clean'}/", "--new-labels")[0]
        == 0
    )
    read = pd.read_parquet if form == "parquet" else pd.read_feather
    wanted = ["new" if row == 3 else label for row, label in enumerate(rows.names) if row != 9]
    assert read(tmp_path / "clean" / name)["label"].tolist() == wanted


CELL = st.text(st.sampled_from('ab,;\t" \r\né'), max_size=4)


@given(
    cells=st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from(",;\t|"),
    mark=st.booleans(),
    last=st.booleans(),
)
def test_csv_cells_that_are_not_labels_keep_every_character(tmp_path_factory, cells, end, delimiter, mark, last):
    import csv
    import io

    lines = [["a", "label", "b"], *([one, "x", two] for one, two in cells)]
    written = [delimiter.join(quoted(cell, delimiter) for cell in line) + end for line in lines]
    content = "".join(written) if last else "".join(written).removesuffix(end)
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes((b"\xef\xbb\xbf" if mark else b"") + content.encode())
    n = len(cells)
    corrections = Corrections(["x"] * n, ["y"] + ["x"] * (n - 1), frozenset({n - 1} if n > 1 else ()))
    write_text_table(path, "label", delimiter, corrections, path.with_name("out.csv"))
    got = path.with_name("out.csv").read_bytes()
    assert got.startswith(b"\xef\xbb\xbf") == mark
    found = list(csv.reader(io.StringIO(got.decode("utf-8-sig"), newline=""), delimiter=delimiter))
    kept = cells[: n - 1] if n > 1 else cells
    assert found[0] == ["a", "label", "b", "label_before_review"]
    assert [(row[0], row[2], row[3]) for row in found[1:]] == [(one, two, "x") for one, two in kept]
    assert [row[1] for row in found[1:]] == ["y", *["x"] * (len(kept) - 1)]
    assert "".join(delimiter.join(line.cells) + line.end for line in records_of(content, delimiter)) == content


def test_csv_quotes_line_ends_and_numbers_stay_as_they_were_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'id,"label",x\r\n"a","cat",1.50\r\n\r\nb,dog,"0,10"\r\nc,cat,1e3')
    corrections = Corrections(["cat", "dog", "cat"], ["dog", "dog", 'a "new", one'], frozenset())
    write_text_table(path, "label", ",", corrections, tmp_path / "o.csv")
    assert (tmp_path / "o.csv").read_bytes() == (
        b'id,"label",x,label_before_review\r\n"a",dog,1.50,"cat"\r\nb,dog,"0,10",dog\r\nc,"a ""new"", one",1e3,cat\r\n'
    )


def test_parquet_keeps_types_groups_metadata_and_a_column_of_that_name(tmp_path, capsys):
    rng = np.random.default_rng(0)
    n = 40
    labels = pa.array([("cat", "dog")[row % 2] for row in range(n)]).dictionary_encode()
    table = pa.table(
        {
            "label_before_review": pa.array([1] * n, pa.int8()),
            "x": rng.normal(size=n) + 5 * (np.arange(n) % 2),
            "label": labels,
            "nested": pa.array([[{"a": row}] for row in range(n)]),
            "big": pa.array([2**62 + row for row in range(n)], pa.uint64()),
            "gap": pa.array([None if row % 3 else row for row in range(n)], pa.int32()),
        }
    ).replace_schema_metadata({"who": "me"})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=16, compression="zstd")
    assert run(capsys, "rank", path, "--features=x", "--label-column=label")[0] == 0
    decide(tmp_path / "t_review", {0: "=dog", 17: "drop"})
    assert run(capsys, "apply", tmp_path / "t_review", f"--output={tmp_path / 'o.parquet'}")[0] == 0
    with pq.ParquetFile(tmp_path / "o.parquet") as file:
        found, groups = file.read(), [file.metadata.row_group(one).num_rows for one in range(file.num_row_groups)]
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert groups == [16, 15, 8]
    kept = [row for row in range(n) if row != 17]
    assert found["label"].type == table["label"].type
    assert found["label"].to_pylist() == ["dog", *table["label"].take(kept).to_pylist()[1:]]
    assert found["label_before_review_2"].to_pylist() == table["label"].take(kept).to_pylist()
    for name in ("label_before_review", "x", "nested", "big", "gap"):
        assert found[name].to_pylist() == table[name].take(kept).to_pylist()
        assert found[name].type == table[name].type
    assert found.schema.metadata[b"who"] == b"me"


def test_npz_keeps_the_bytes_of_the_other_arrays_and_its_types(rows, tmp_path, capsys):
    more = {"weights": np.arange(60.0), "note": np.array("made by hand"), "flags": np.zeros((3, 60), bool)}
    path = npz_of(tmp_path / "a.npz", X=rows.X, y=rows.names, **more)
    assert run(capsys, "rank", path)[0] == 0
    folder = tmp_path / "a_review"
    decide(folder, {0: "=a much longer name"})
    status, _, err = run(capsys, "apply", folder, f"--output={tmp_path / 'b.npz'}")
    assert status == 1
    assert "row 0" in err or "row '0'" in err
    assert "no row has the label 'a much longer name'" in err
    assert "pass --new-labels" in err
    assert run(capsys, "apply", folder, f"--output={tmp_path / 'b.npz'}", "--new-labels")[0] == 0
    with np.load(path) as old, np.load(tmp_path / "b.npz") as new:
        assert set(new) == {*old, "label_before_review"}
        assert new["y"][0] == "a much longer name"
        assert new["y"][1:].tolist() == old["y"][1:].tolist() == new["label_before_review"][1:].tolist()
        for name in ("X", *more):
            np.testing.assert_array_equal(old[name], new[name])
    decide(folder, {5: "drop"}, second=9)
    assert run(capsys, "apply", folder, f"--output={tmp_path / 'b.npz'}", "--new-labels")[0] == 0
    with np.load(tmp_path / "b.npz") as new:
        assert {name: new[name].shape for name in new} == {
            "X": (59, 4),
            "y": (59,),
            "weights": (59,),
            "note": (),
            "flags": (3, 60),
            "label_before_review": (59,),
        }


def test_numbers_and_flags_stay_numbers_and_flags(tmp_path, capsys):
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    X = rng.normal(size=(40, 3)) + 6 * truth[:, None]
    for number, y in enumerate((truth.astype(bool), truth.astype("uint8"), truth.astype("float32"))):
        path = npz_of(tmp_path / f"{number}.npz", X=X, y=y)
        assert run(capsys, "rank", path)[0] == 0
        names = open_review(tmp_path / f"{number}_review").source.classes
        decide(tmp_path / f"{number}_review", {0: f"={names[1]}"})
        assert run(capsys, "apply", tmp_path / f"{number}_review", f"--output={tmp_path / 'o.npz'}")[0] == 0
        with np.load(tmp_path / "o.npz") as new:
            assert new["y"].dtype == y.dtype
            assert new["y"][:3].tolist() == [1, 1, 0]
    decide(tmp_path / "1_review", {2: "=300"}, second=5)
    status, _, err = run(capsys, "apply", tmp_path / "1_review", f"--output={tmp_path / 'o.npz'}", "--new-labels")
    assert status == 1
    assert "labels are stored as uint8, which cannot hold '300'" in err


def test_hugging_face_numbers_follow_the_names_in_the_file(rows, tmp_path, capsys):
    path = FORMS["hugging face"](tmp_path, rows)
    assert run(capsys, "rank", path)[0] == 0
    before = labels_of(tmp_path / "h_review")
    name = other(before[0], NAMES)
    decide(tmp_path / "h_review", {0: f"={name}"})
    assert run(capsys, "apply", tmp_path / "h_review", f"--output={tmp_path / 'o.parquet'}")[0] == 0
    found = pq.read_table(tmp_path / "o.parquet")
    assert found["label"][0].as_py() == NAMES.index(name)
    features = json.loads(found.schema.metadata[b"huggingface"])["info"]["features"]
    assert set(features) == set(found.column_names)
    assert features["label"]["names"] == features["label_before_review"]["names"] == list(NAMES)


def test_pictures_move_to_the_folder_of_their_class(photos, tmp_path, capsys):
    assert run(capsys, "rank", photos)[0] == 0
    folder = tmp_path / "photos_review"
    ids = open_review(folder).source.ids
    decide(folder, {ids.index("cat/03.png"): "=dog", ids.index("dog/04.png"): "drop"})
    clean = tmp_path / "clean"
    assert run(capsys, "apply", folder, f"--output={clean}")[0] == 0
    old, new = files(photos), files(clean)
    expected = {name: content for name, content in old.items() if name not in ("cat/03.png", "dog/04.png")}
    expected["dog/03 (from cat).png"] = old["cat/03.png"]
    assert {name: content for name, content in new.items() if name != ".fixfirst.json"} == expected
    assert (clean / "cat" / "00.png").stat().st_ino != (photos / "cat" / "00.png").stat().st_ino
    assert files(photos) == old
    decide(folder, {ids.index("cat/03.png"): "keep"}, second=5)
    assert run(capsys, "apply", folder, f"--output={clean}", "--link")[0] == 0
    assert {name for name in files(clean) if name != ".fixfirst.json"} == set(old) - {"dog/04.png"}
    assert (clean / "cat" / "00.png").stat().st_ino == (photos / "cat" / "00.png").stat().st_ino
    assert run(capsys, "rank", clean)[0] == 0
    (clean / "mine.txt").write_text("do not touch")
    status, _, err = run(capsys, "apply", folder, f"--output={clean}")
    assert status == 1
    assert "files that this command did not write (1 in all: mine.txt)" in err


@pytest.mark.parametrize("label", ["../outside", "..", ".hidden", "a/b", "/etc"])
def test_a_label_that_leaves_the_folder_is_refused(label, photos, tmp_path, capsys):
    assert run(capsys, "rank", photos)[0] == 0
    decide(tmp_path / "photos_review", {0: f"={label}"})
    status, _, err = run(
        capsys, "apply", tmp_path / "photos_review", f"--output={tmp_path / 'clean' / 'in'}", "--new-labels"
    )
    assert status == 1
    assert "cannot be the name of a folder" in err
    assert not (tmp_path / "clean" / "outside").exists()


def test_a_folder_with_a_table_comes_back_as_one(photos, tmp_path, capsys):
    flat = tmp_path / "flat"
    flat.mkdir()
    names = []
    for path in sorted(photos.rglob("*.png")):
        names.append((f"{path.parent.name}{path.name}", path.parent.name))
        path.rename(flat / names[-1][0])
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n" + "".join(f"{name},{label}\n" for name, label in names))
    assert run(capsys, "rank", flat, f"--labels={table}")[0] == 0
    decide(tmp_path / "flat_review", {1: "=dog", 2: "drop"})
    assert run(capsys, "apply", tmp_path / "flat_review", f"--output={tmp_path / 'clean'}")[0] == 0
    assert set(files(tmp_path / "clean")) == {name for name, _ in names} - {names[2][0]} | {
        "labels.csv",
        ".fixfirst.json",
    }
    lines = (tmp_path / "clean" / "labels.csv").read_text().splitlines()
    assert lines[0] == "path,label,label_before_review"
    assert lines[2] == f"{names[1][0]},dog,cat"
    assert len(lines) == 24
    assert run(capsys, "apply", tmp_path / "flat_review", f"--output={tmp_path / 'alone.csv'}")[0] == 0
    assert (tmp_path / "alone.csv").read_text().splitlines() == lines


def refused(capsys, folder, output, *more):
    status, _, err = run(capsys, "apply", folder, f"--output={output}", *more)
    assert status == 1
    assert re.search(r"\. Fix: .+\.\n$", err)
    return err


def test_decisions_about_rows_that_are_gone_or_have_changed_do_not_count(photos, tmp_path, capsys):
    """As in the next ranking; only if none of them counts, something else is wrong. A drop is then carried out."""
    assert run(capsys, "rank", photos)[0] == 0
    folder, output = tmp_path / "photos_review", tmp_path / "clean"
    decide(folder, {0: "=dog", 1: "drop", 2: "=dog"})
    names = open_review(folder).source.ids
    lost = "not count, because the row is gone or has changed since"
    Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(photos / names[0])
    status, out, err = run(capsys, "apply", folder, f"--output={output}")
    assert (status, err) == (0, f"warning: 1 decision does {lost} (row {names[0]!r})\n")
    assert "2 rows looked at: 1 label changed, 1 row dropped" in out
    (photos / names[1]).unlink()
    status, _, err = run(capsys, "apply", folder, f"--output={output}")
    assert (status, err) == (0, f"warning: 1 decision does {lost} (row {names[0]!r})\n")
    assert {path.name for path in (output / "cat").iterdir()} == {"00.png", *(f"{row:02d}.png" for row in range(3, 12))}
    assert f"warning: 1 decision does {lost} (row {names[0]!r})" in run(capsys, "rank", photos)[2]
    (photos / names[2]).unlink()
    err = refused(capsys, folder, output)
    assert f"decisions.jsonl: 2 decisions do {lost} (for example row {names[0]!r}). Fix: restore the rows of" in err


def test_sources_that_changed_are_refused(rows, tmp_path, capsys):
    path = FORMS["csv"](tmp_path, rows)
    assert run(capsys, "rank", path)[0] == 0
    path.write_text(path.read_text() + "\n")
    assert f"{tmp_path / 't_review' / '..' / 't.csv'}: the file has changed since it was ranked" in refused(
        capsys, tmp_path / "t_review", tmp_path / "o.csv"
    )
    path.unlink()
    where = f"put t.csv there, or say where it is: `fixfirst rank SOURCE --review={tmp_path / 't_review'}`"
    assert f"the source is not at {path}. Fix: {where}" in refused(capsys, tmp_path / "t_review", tmp_path / "o.csv")


def test_the_source_is_never_written_over(photos, rows, tmp_path, capsys):
    assert run(capsys, "rank", photos)[0] == 0
    folder = tmp_path / "photos_review"
    for output in (photos, photos / "clean", tmp_path, folder, folder / "clean"):
        assert "the output overlaps with " in refused(capsys, folder, output)
    path = FORMS["csv"](tmp_path, rows)
    assert run(capsys, "rank", path)[0] == 0
    assert "the command reads this file" in refused(capsys, tmp_path / "t_review", path)
    assert "the command reads this file" in refused(capsys, tmp_path / "t_review", tmp_path)
    assert "--link: it is for data in several" in refused(capsys, tmp_path / "t_review", tmp_path / "o.csv", "--link")
    err = refused(capsys, tmp_path / "t_review", tmp_path / "o.parquet")
    assert "o.parquet: the corrected data are written in the form they came in, .csv. Fix: end the name in .csv" in err


def test_no_command_writes_over_what_another_name_makes_it_read(rows, tmp_path, capsys):
    source, trusted = FORMS["csv"](tmp_path, rows).rename(tmp_path / "q_changes.csv"), tmp_path / "annotators.csv"
    frame = pd.DataFrame(rows.trusted_X, columns=[f"e{place}" for place in range(4)])
    frame.assign(label=rows.trusted_names).to_csv(trusted, index=False)
    there = files(tmp_path)
    status, _, err = run(capsys, "rank", source, f"--trusted={trusted}", f"--review={tmp_path}")
    assert status == 1
    assert f"the command reads this file ({trusted})" in err
    assert run(capsys, "rank", source, f"--trusted={trusted}")[0] == 0
    folder = tmp_path / "q_changes_review"
    for output in (tmp_path / "q.csv", trusted):
        assert "the command reads this file" in refused(capsys, folder, output)
    for kind, output in (("csv", source), ("cleanlab", trusted)):
        status, _, err = run(capsys, "export", folder, f"--to={kind}", f"--output={output}")
        assert (status, "the command reads this file" in err) == (1, True)
    (tmp_path / "own_changes.csv").write_text("something else\n")
    assert "which is not an earlier one. Fix: rename it" in refused(capsys, folder, tmp_path / "own.csv")
    assert {name: content for name, content in files(tmp_path).items() if name in there} == there


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.CSV", "x.zip", "x.png"])
def test_data_in_several_files_are_not_written_to_one(name, rows, tmp_path, capsys):
    assert run(capsys, "rank", FORMS["npy"](tmp_path, rows))[0] == 0
    err = refused(capsys, tmp_path / "X_review", tmp_path / name)
    assert f"{name}: the data are several files, so the output must be a folder. Fix: name a folder, for example" in err
    assert not (tmp_path / name).exists()
    assert run(capsys, "apply", tmp_path / "X_review", f"--output={tmp_path / 'clean.v2'}")[0] == 0
    assert (tmp_path / "clean.v2" / "y.npy").exists()
    assert "there is no such folder" in refused(capsys, tmp_path / "nothing", tmp_path / "o.csv")


def test_disagreements_are_refused_unless_a_rule_resolves_them(rows, tmp_path, capsys):
    path = FORMS["csv"](tmp_path, rows)
    assert run(capsys, "rank", path)[0] == 0
    folder, output = tmp_path / "t_review", tmp_path / "o.csv"
    before = labels_of(folder)
    second = other(before[4], NAMES)
    decide(folder, {4: "keep"}, "ann")
    decide(folder, {4: f"={second}"}, "bob", second=5)
    err = refused(capsys, folder, output)
    assert f"row '4': reviewers disagree (ann: keep; bob: {second}); such rows: 1 in all: 4" in err
    assert "there is no majority" in refused(capsys, folder, output, "--resolve=majority")
    assert run(capsys, "apply", folder, f"--output={output}", "--resolve=latest")[0] == 0
    assert pd.read_csv(output)["label"][4] == second
    decide(folder, {4: "keep"}, "cem", second=9)
    assert run(capsys, "apply", folder, f"--output={output}", "--resolve=majority")[0] == 0
    assert pd.read_csv(output)["label"][4] == before[4]
    decide(folder, {4: "keep"}, "bob", second=12)
    assert run(capsys, "apply", folder, f"--output={output}")[0] == 0


def test_feather_keeps_what_it_has(tmp_path, capsys):
    frame = pd.DataFrame(
        {"x": np.r_[np.zeros(20), np.ones(20)] + np.arange(40) / 100, "label": ["a"] * 20 + ["b"] * 20}
    )
    frame["when"] = pd.Timestamp("2026-01-01")
    pyarrow.feather.write_feather(frame, tmp_path / "t.feather")
    assert run(capsys, "rank", tmp_path / "t.feather", "--features=x")[0] == 0
    decide(tmp_path / "t_review", {0: "=b"})
    assert run(capsys, "apply", tmp_path / "t_review", f"--output={tmp_path / 'o.feather'}")[0] == 0
    found = pyarrow.feather.read_feather(tmp_path / "o.feather")
    assert found["label"].tolist() == ["b", *frame["label"][1:]]
    pd.testing.assert_frame_equal(found[["x", "when"]], frame[["x", "when"]])


def test_pictures_that_were_not_ranked_are_said_to_be_left_out(photos, tmp_path, capsys):
    (photos / "cat" / "broken.png").write_bytes(b"not a picture")
    assert run(capsys, "rank", photos, "--on-undecodable=skip")[0] == 0
    out = run(capsys, "apply", tmp_path / "photos_review", f"--output={tmp_path / 'clean'}")[1]
    assert "left out, since not ranked: 1 file" in out


def test_pictures_inside_a_parquet_file_stay_inside(photos, tmp_path, capsys):
    paths = sorted(photos.rglob("*.png"))
    images = [{"bytes": path.read_bytes(), "path": path.name} for path in paths]
    table = pa.table({"image": images, "label": [path.parent.name for path in paths]})
    pq.write_table(table, tmp_path / "p.parquet")
    assert run(capsys, "rank", tmp_path / "p.parquet")[0] == 0
    review = decide(tmp_path / "p_review", {0: "=dog", 3: "drop"})
    assert [review.source.picture(row) for row in range(24)] == [image["bytes"] for image in images]
    assert run(capsys, "apply", tmp_path / "p_review", f"--output={tmp_path / 'o.parquet'}")[0] == 0
    found = pq.read_table(tmp_path / "o.parquet")
    assert found["image"].to_pylist() == images[:3] + images[4:]
    assert found["label"].to_pylist()[:2] == ["dog", "cat"]


def test_embedded_pictures_get_a_column_of_labels(photos, tmp_path, capsys):
    assert run(capsys, "embed", photos, f"--output={tmp_path / 'e.parquet'}")[0] == 0
    assert run(capsys, "rank", tmp_path / "e.parquet")[0] == 0
    decide(tmp_path / "e_review", {0: "=dog"})
    assert run(capsys, "apply", tmp_path / "e_review", f"--output={tmp_path / 'o.parquet'}")[0] == 0
    found, before = pq.read_table(tmp_path / "o.parquet"), pq.read_table(tmp_path / "e.parquet")
    assert found["label"].to_pylist() == ["dog", *["cat"] * 11, *["dog"] * 12]
    assert found["label_before_review"].to_pylist() == ["cat"] * 12 + ["dog"] * 12
    assert found.select(before.column_names).equals(before)


def ids_and_labels(rows, order):
    return "name,label\n" + "".join(f"r{row:02d},{rows.names[row]}\n" for row in order)


def test_labels_in_a_table_of_their_own_are_found_by_id(rows, tmp_path, capsys):
    rows.frame(name=[f"r{row:02d}" for row in range(60)]).drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    order = np.random.default_rng(0).permutation(60)
    (tmp_path / "labels.csv").write_text(ids_and_labels(rows, order))
    assert run(capsys, "rank", tmp_path / "t.csv", f"--labels={tmp_path / 'labels.csv'}", "--id-column=name")[0] == 0
    folder = tmp_path / "t_review"
    assert labels_of(folder) == rows.names.tolist()
    decide(folder, {7: "=new", 9: "drop"})
    clean = tmp_path / "clean"
    assert run(capsys, "apply", folder, f"--output={clean}", "--new-labels")[0] == 0
    kept = [row for row in order.tolist() if row != 9]
    lines = [f"r{row:02d},{'new' if row == 7 else rows.names[row]},{rows.names[row]}" for row in kept]
    assert (clean / "labels.csv").read_text().splitlines() == ["name,label,label_before_review", *lines]
    written = (tmp_path / "t.csv").read_text().splitlines()
    assert (clean / "t.csv").read_text().splitlines() == [line for line in written if not line.endswith(",r09")]
    again = (f"--labels={clean / 'labels.csv'}", "--id-column=name", f"--review={tmp_path / 'again'}")
    assert run(capsys, "rank", clean / "t.csv", *again)[0] == 0
    decide(folder, {9: "keep"}, second=5)
    assert run(capsys, "apply", folder, f"--output={clean}", "--new-labels")[0] == 0
    assert (clean / "t.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


@pytest.mark.parametrize(("form", "name", "labels"), [("npz", "x.data", "y.NPY"), ("parquet", "x.parquet", "y.npy")])
def test_features_with_labels_elsewhere_lose_the_dropped_rows(form, name, labels, rows, tmp_path, capsys):
    if form == "npz":
        path = npz_of(tmp_path / "x.npz", X=rows.X).rename(tmp_path / name)
    else:
        path = tmp_path / name
        rows.frame().drop(columns="label").to_parquet(path, index=False)
    with (tmp_path / labels).open("wb") as file:
        np.save(file, rows.names)
    assert run(capsys, "rank", path, f"--labels={tmp_path / labels}")[0] == 0
    decide(tmp_path / "x_review", {1: "=dog", 5: "drop"})
    clean = tmp_path / "clean"
    assert run(capsys, "apply", tmp_path / "x_review", f"--output={clean}")[0] == 0
    assert np.load(clean / labels).tolist() == ["dog" if row == 1 else rows.names[row] for row in range(60) if row != 5]
    assert np.load(clean / "label_before_review.npy").tolist() == np.delete(rows.names, 5).tolist()
    found = np.load(clean / path.name)["X"] if form == "npz" else pd.read_parquet(clean / path.name).to_numpy()
    np.testing.assert_array_equal(found, np.delete(rows.X, 5, axis=0))


def test_a_changed_row_without_a_line_in_the_table_of_labels_is_refused(rows, tmp_path, capsys):
    rows.frame(name=[f"r{row:02d}" for row in range(60)]).drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "labels.csv").write_text(ids_and_labels(rows, range(58)))
    assert run(capsys, "rank", tmp_path / "t.csv", f"--labels={tmp_path / 'labels.csv'}", "--id-column=name")[0] == 0
    decide(tmp_path / "t_review", {59: "=dog"})
    assert "row 'r59': the row has a new label but no line" in refused(
        capsys, tmp_path / "t_review", tmp_path / "clean"
    )
