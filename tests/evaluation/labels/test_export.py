import json
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import jsonschema
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.evaluation.labels.own_data import Rows, csv_of, npz_of, ranking, run

# Label Studio's basic json format, as its guide documents it (labelstud.io/guide/tasks, /predictions and
# /tags/choices): what this project writes of it.
LABEL_STUDIO = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "integer"},
            "data": {"type": "object", "minProperties": 1},
            "meta": {"type": "object"},
            "annotations": {"type": "array"},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {
                        "model_version": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "result": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["from_name", "to_name", "type", "value"],
                                "properties": {
                                    "id": {"type": "string"},
                                    "from_name": {"type": "string"},
                                    "to_name": {"type": "string"},
                                    "type": {"const": "choices"},
                                    "score": {"type": "number"},
                                    "value": {
                                        "type": "object",
                                        "required": ["choices"],
                                        "properties": {
                                            "choices": {"type": "array", "minItems": 1, "items": {"type": "string"}}
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def check_tasks(tasks, config, data_key):
    """Tasks fit the schema and the configuration that comes with them."""
    jsonschema.validate(tasks, LABEL_STUDIO)
    view = ET.fromstring(config)
    shown, choices = view[0], view[1]
    assert shown.get("value") == f"${data_key}"
    known = {choice.get("value") for choice in choices}
    for task in tasks:
        assert data_key in task["data"]
        for result in task["predictions"][0]["result"]:
            assert (result["from_name"], result["to_name"]) == (choices.get("name"), shown.get("name"))
            assert set(result["value"]["choices"]) <= known


@pytest.fixture
def table(tmp_path, capsys):
    rows = Rows(60)
    rows.names[5] = 'a "b" & <c>'
    frame = rows.frame(id=[f"r{row}" for row in range(60)]).astype({"label": object})
    frame.loc[7, "label"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert run(capsys, "rank", tmp_path / "t.csv")[0] == 0
    return frame


def test_cleanlab_reads_its_own_columns(table, tmp_path, capsys):
    status, out, _ = run(capsys, "export", tmp_path / "t_review", "--to=cleanlab")
    assert (status, out) == (0, f"written: {tmp_path / 't_cleanlab.csv'}\n")
    found = pd.read_csv(tmp_path / "t_cleanlab.csv")
    assert found["id"].tolist() == table["id"].tolist()
    issues = found["is_label_issue"]
    assert issues.dtype == bool
    assert (issues == (found["given_label"].notna() & (found["given_label"] != found["predicted_label"]))).all()
    ranked = ranking(tmp_path / "t_review").set_index("row")
    for row, score in found["label_score"].items():
        suspicion = ranked["suspicion"][str(row)]
        assert np.isnan(score) if row == 7 else score == pytest.approx(1 - float(suspicion), abs=2e-6)
    assert 0 < issues.sum() < 40


def test_plain_csv_is_in_the_order_of_the_source(table, tmp_path, capsys):
    output = tmp_path / "deep" / "x.csv"
    assert run(capsys, "export", tmp_path / "t_review", "--to=csv", f"--output={output}")[0] == 0
    found = pd.read_csv(output, dtype=str, keep_default_na=False)
    assert found["row"].tolist() == [str(row) for row in range(60)]
    assert found["given_label"].tolist() == table["label"].fillna("").tolist()


def test_label_studio_gets_tasks_that_fit_its_schema_and_its_configuration(table, tmp_path, capsys):
    status, out, _ = run(capsys, "export", tmp_path / "t_review", "--to=label-studio")
    assert status == 0
    assert out.splitlines() == [f"written: {tmp_path / name}" for name in ("t_label_studio.json", "t_label_studio.xml")]
    tasks = json.loads((tmp_path / "t_label_studio.json").read_text())
    check_tasks(tasks, (tmp_path / "t_label_studio.xml").read_text(), "table")
    ranked = ranking(tmp_path / "t_review")
    assert [task["data"]["id"] for task in tasks] == ranked["id"].tolist()
    assert tasks[0]["data"]["table"]["e1"] == str(table.set_index("id")["e1"][ranked["id"][0]])
    assert tasks[-1]["data"]["given_label"] is None


def test_label_studio_finds_the_pictures_of_class_folders(tmp_path, capsys):
    for name in ("a cat/1 ü.png", "a cat/2.png", "dog/1.png", "dog/2.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (len(name) * 9, 0, 0)).save(tmp_path / "photos" / name)
    run(capsys, "rank", tmp_path / "photos")
    assert run(capsys, "export", tmp_path / "photos_review", "--to=label-studio")[0] == 0
    tasks = json.loads((tmp_path / "photos_label_studio.json").read_text())
    check_tasks(tasks, (tmp_path / "photos_label_studio.xml").read_text(), "image")
    assert {unquote(task["data"]["image"]) for task in tasks} == {
        f"/data/local-files/?d=photos/{name}" for name in ("a cat/1 ü.png", "a cat/2.png", "dog/1.png", "dog/2.png")
    }
    inside = tmp_path / "photos" / "dog" / "x.csv"
    status, _, err = run(capsys, "export", tmp_path / "photos_review", "--to=csv", f"--output={inside}")
    assert (status, "it is in a folder that the command reads" in err, inside.exists()) == (1, True, False)
    run(capsys, "export", tmp_path / "photos_review", "--to=label-studio", "--prefix=s3://bucket/")
    assert '"s3://bucket/dog/1.png"' in (tmp_path / "photos_label_studio.json").read_text()


def test_label_studio_gets_the_ids_of_bare_vectors(tmp_path, capsys):
    rows = Rows(60)
    run(capsys, "rank", npz_of(tmp_path / "a.npz", X=rows.X, y=rows.names))
    assert run(capsys, "export", tmp_path / "a_review", "--to=label-studio")[0] == 0
    check_tasks(
        json.loads((tmp_path / "a_label_studio.json").read_text()),
        (tmp_path / "a_label_studio.xml").read_text(),
        "text",
    )


def test_wrong_folders_and_outputs_are_one_sentence(tmp_path, capsys):
    csv_of(tmp_path / "t.csv", Rows(60))
    run(capsys, "rank", tmp_path / "t.csv")
    review = tmp_path / "t_review"

    def error(*arguments):
        status, out, err = run(capsys, "export", *arguments)
        assert (status, out) == (1, "")
        return err

    assert "there is no ranking.csv in it. Fix: make the folder with" in error(tmp_path, "--to=csv")
    assert "--prefix: it is for pictures in Label Studio" in error(review, "--to=csv", "--prefix=s3://bucket/")
    assert "--prefix: it is for pictures in a folder" in error(review, "--to=label-studio", "--prefix=s3://bucket/")
    assert "name it .json" in error(review, "--to=label-studio", f"--output={tmp_path / 'x.csv'}")
    assert "it is in a folder that the command reads" in error(review, "--to=csv", f"--output={review / 'ranking.csv'}")
    text = (review / "ranking.csv").read_text()
    lines = text.splitlines(keepends=True)
    (review / "ranking.csv").write_text("".join([*lines, lines[4]]))
    assert "line 62: row" in error(review, "--to=csv")
    (review / "ranking.csv").write_text("".join(lines[:-1]))
    assert "it does not rank the 60 rows" in error(review, "--to=label-studio")
    (review / "ranking.csv").write_text(text.replace(lines[1], ",".join(["1", "0", "first", *lines[1].split(",")[3:]])))
    assert "ranking.csv, line 2, column row: 'first' where a number belongs" in error(review, "--to=csv")
    (review / "ranking.csv").write_text(text)
    (review / "source.json").write_text("{}")
    assert "source.json, version: Field required" in error(review, "--to=label-studio")
