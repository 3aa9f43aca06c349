"""What is published: links, html, nothing private, and numbers that can be made again."""

import io
import json
import re
import shlex
from html.parser import HTMLParser
from urllib.parse import unquote

import jsonschema
import pytest
from tinyhtml5.parser import HTMLParser as Validator

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import Board, append_record, read_records
from evaluation.figures.site import public, publish
from evaluation.files.progress import Reporter
from evaluation.settings.folders import Folders
from tests.evaluation.contract.test_record import record
from tests.evaluation.figures.page.made_up import HOSTILE, records, scored
from tests.support import without_pictures, write_parameters

pytestmark = pytest.mark.slow


class Links(HTMLParser):
    """The addresses and ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[name] for name in ("href", "src") if name in found]


def quiet():
    return Reporter(io.StringIO(), io.StringIO())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Every kind of result: a hostile name, a failure, a sister task, one of whose truths is split."""
    place = tmp_path_factory.mktemp("published")
    folders = Folders.in_workspace(place / "w")
    logo = {"task": "logo", "ids": ["l"], "split": {"public": 0.5, "salt": "secret salt"}}
    made = {"ids": ["a", "c"], "sources": ["file:/home/me/private"], "raw": ["file:/home/me/labels.pt"]}
    blocks = {"made": made, "logo": logo}
    write_parameters(place / "w", tasks=["cleaning", "logo"], datasets=blocks, rounds=4)
    parts = {
        name: Board(metrics={"f2_macro": value}, denominators={"n": 1})
        for name, value in (("public", 0.25), ("private", 0.75))
    }
    settings = {"split": {"public": 0.5, "salt": "secret salt"}}
    split = {
        "metrics": {"f2_macro": 0.5},
        "boards": parts,
        "settings": settings,
        "details": {"f2": {"hidden class": 1.0}},
    }
    kept = [one for one in records() if one.dataset not in ("a", "z1") or one.status == "failed"]
    again = scored("good in rounds of 4", "c", 3, rounds=4)
    for one in [*kept, again, record(task="logo", dataset="l", method="team", curve=None, **split)]:
        append_record(folders.results_file, one)
    with pytest.MonkeyPatch.context() as patch:
        without_pictures(patch)
        for _ in range(2):
            publish(folders, load_parameters(folders.parameters_file), place / "site", quiet())
    return place / "site"


def test_every_page_is_valid_html(site):
    pages = sorted(site.glob("*.html"))
    assert [page.name for page in pages] == ["index.html", "report.html"]
    for page in pages:
        validator = Validator()
        validator.parse(page.read_text())
        assert validator.errors == []


def test_every_link_leads_somewhere_within_the_site(site):
    for page in site.glob("*.html"):
        links = Links(page.read_text())
        assert len(set(links.ids)) == len(links.ids)
        for address in links.addresses:
            name, _, anchor = unquote(address).partition("#")
            if not name.startswith("data:"):
                assert not name or (site / name).is_file(), address
                assert not anchor or anchor in Links((site / name if name else page).read_text()).ids, address


def test_records_are_lines_that_fit_their_schema(site):
    schema = json.loads((site / "record.schema.json").read_text())
    lines = (site / "records.jsonl").read_text().splitlines()
    assert len(lines) == 9 * 2 + 1 + 2 + 1
    for line in lines:
        jsonschema.validate(json.loads(line), schema)


def test_rounds_have_a_table_of_their_own_and_are_asked_for_where_they_are_made_again(site):
    tables = (site / "index.html").read_text().split("<h3>cleaning, in rounds of 4 fixes</h3>")
    assert [text.count("in rounds of") for text in tables] == [0, 2]
    assert "rounds: 4\n" in (site / "parameters_cleaning.yaml").read_text()
    assert "rounds" not in (site / "parameters_logo.yaml").read_text()


def test_nothing_private_is_in_any_file(site):
    found = [one for one in read_records(site / "records.jsonl") if one.task == "logo"]
    assert found[0].metrics == {"f2_macro": 0.25}
    assert found[0].boards == found[0].details == {}
    for path in site.iterdir():
        if path.suffix not in (".png", ".svg"):  # these hold no text; every other file is read
            text = path.read_text()
            for secret in ("secret salt", "/home/me", "hidden class", '0.75"', '"private"', f"{HOSTILE} no"):
                assert secret not in text.replace('"private": {', ""), (path.name, secret)
    index = (site / "index.html").read_text()
    assert HOSTILE not in index
    assert index.count("The scores are on the public part of the ground truth.") == 1
    assert public(records()[0]).details == {}


def test_a_folder_with_other_things_is_refused(folders, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(InvalidInput, match="it already exists and is not a published site"):
        publish(
            folders, load_parameters(folders.parameters_file), tmp_path / "mine", Reporter(io.StringIO(), io.StringIO())
        )


@pytest.mark.usefixtures("no_pictures", "one_process")
def test_the_command_beside_a_number_makes_it_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    digits = {"sources": "sklearn:digits", "noise": {"kind": "symmetric", "rate": 0.2, "draws": [0]}}
    write_parameters(tmp_path / "workspace", datasets={"digits": digits}, rankers=["random", "knn_shapley"])
    assert main(["run"]) == 0
    assert main(["publish", "--output=site"]) == 0
    assert main(["publish", "--output=site"]) == 0
    page = (tmp_path / "site" / "index.html").read_text()
    (words,) = re.findall(r"<code>((?:<span>[^<]*</span> ?)*<span>--only=knn_shapley</span>)</code>", page)
    command = shlex.split(re.sub(r"</?span>", "", words))
    monkeypatch.chdir(tmp_path / "site")
    assert main(command[1:]) == 0
    (again,) = read_records(tmp_path / "site" / "again" / "results" / "results.jsonl")
    before = {one.method: one for one in read_records(tmp_path / "workspace" / "results" / "results.jsonl")}
    assert again.metrics == before["knn_shapley"].metrics
    assert again.dataset_sha256 == before["knn_shapley"].dataset_sha256
    capsys.readouterr()
