import json

import jsonschema
import pytest

from cleaning import InvalidInput
from evaluation.contract.record import Curve, Record, append_record, environment, finite, latest, now, read_records
from tests.support import ROOT


def record(**changes):
    content = {
        "task": "cleaning",
        "task_version": 1,
        "dataset": "a",
        "method": "m",
        "status": "ok",
        "metrics": {"score": 0.5},
        "curve": Curve(fixes=(0, 1), accuracy=(0.5, 1.0), dirty=0.5, clean=1.0),
        "submission_sha256": "00",
        "dataset_sha256": "11",
        "seed": 0,
        "fingerprint": "ff",
        "environment": environment(),
        "created": now(),
    }
    return Record(**{**content, **changes})


def test_records_are_appended_and_read_in_order(tmp_path):
    path = tmp_path / "r" / "results.jsonl"
    assert read_records(path) == []
    written = [record(), record(method="n", status="failed", error="no")]
    for one in written:
        append_record(path, one)
    assert read_records(path) == written
    assert len(path.read_text().splitlines()) == 2


def test_a_half_written_last_line_is_left_out_and_then_removed(tmp_path):
    path = tmp_path / "results.jsonl"
    append_record(path, record())
    with path.open("a") as file:
        file.write('{"task": "clea')
    assert len(read_records(path)) == 1
    append_record(path, record(method="n"))
    assert [r.method for r in read_records(path)] == ["m", "n"]


def test_a_foreign_line_is_located(tmp_path):
    path = tmp_path / "results.jsonl"
    append_record(path, record())
    with path.open("a") as file:
        file.write('{"task": "x"}\n')
    with pytest.raises(InvalidInput, match=r"results\.jsonl, line 2, task_version: this is not a record"):
        read_records(path)


def test_the_newest_record_of_a_slot_counts_and_withdrawn_ones_do_not():
    found = latest([record(fingerprint="1"), record(fingerprint="2"), record(seed=1), record(method="n")])
    assert [(r.method, r.seed, r.fingerprint) for r in found] == [("m", 0, "2"), ("m", 1, "ff"), ("n", 0, "ff")]
    assert latest([record(), record(status="withdrawn")]) == []


def test_nan_never_enters_a_record():
    with pytest.raises(InvalidInput, match="metric score: the value is nan"):
        finite({"score": float("nan")})
    with pytest.raises(ValueError, match="finite"):
        record(metrics={"score": float("inf")})


def test_the_delivered_schema_is_that_of_the_records():
    schema = json.loads((ROOT / "evaluation" / "contract" / "record.schema.json").read_text())
    assert schema == Record.model_json_schema(), (
        "renew it: python -m evaluation.contract.record > evaluation/contract/record.schema.json"
    )
    jsonschema.validate(json.loads(record().model_dump_json()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"task": "x"}, schema)
