"""The page over HTTP, as a browser, another page, or an attacker would ask."""

import contextlib
import http.client
import io
import json
import re
import shutil
import socket

import pytest
from PIL import Image

from evaluation.cli import main
from evaluation.files.html import json_for_html
from evaluation.labels.opened import open_review
from evaluation.labels.page.markup import SCRIPTS
from tests.evaluation.labels.page.served import photos, ranked, served


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    photos(folder / "photos")
    photos(folder / "checked", count=80, rate=0, size=16)
    return ranked(folder / "photos", f"--trusted={folder / 'checked'}").parent


@pytest.fixture
def review(originals, tmp_path):
    return shutil.copytree(originals, tmp_path / "data") / "photos_review"


@pytest.fixture
def page(review):
    with served(review) as found:
        yield found


def ask(page, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
    sent = {"Host": page.host} | {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, content, {name: value for name, value in sent.items() if value is not None})
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def act(page, what, body, **headers):
    sent = {"Origin": f"http://{page.host}", "Content_Type": "application/json"} | headers
    return ask(page, f"/token/api/{what}", "POST", body, **sent)


def decisions(*wanted, key="0123456789"):
    listed = [{"row": row, "verdict": verdict, "label": label} for row, verdict, label in wanted]
    return {"key": key, "round": 0, "decisions": listed}


PATHS = ("/token/", "/token/static/main.js", "/token/api/state", "/token/api/row/0", "/token/picture/0/small")


@pytest.mark.parametrize("path", PATHS)
def test_only_this_machines_own_page_gets_an_answer(path, page):
    assert ask(page, path)[0] == 200
    assert ask(page, path, Origin=f"http://{page.host}", Sec_Fetch_Site="same-origin")[0] == 200
    assert ask(page, path, Host=f"localhost:{page.port}")[0] == 200
    assert ask(page, path.replace("token", "tokem"))[0] == 404
    assert ask(page, path.replace("/token", ""))[0] == 404
    for host in ("evil.example", f"evil.example:{page.port}", "127.0.0.1", f"127.0.0.1:{page.port}.evil.example", ""):
        assert ask(page, path, Host=host)[0] == 421
    for origin in ("http://evil.example", "null", f"https://{page.host}", f"http://{page.host}.evil.example", ""):
        assert ask(page, path, Origin=origin)[0] == 403
    for site in ("cross-site", "same-site"):
        assert ask(page, path, Sec_Fetch_Site=site)[0] == 403
        framed = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}
        assert ask(page, path, Sec_Fetch_Site=site, **framed)[0] == 403
        assert ask(page, path, Sec_Fetch_Site=site, **framed | {"Sec_Fetch_Dest": "document"})[0] == 200


def test_two_hosts_in_one_request_are_refused(page):
    with socket.create_connection(("127.0.0.1", page.port)) as raw:
        raw.sendall(f"GET /token/ HTTP/1.1\r\nHost: {page.host}\r\nHost: evil\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(100).split()[1] in (b"400", b"421")


def test_every_answer_forbids_the_browser_everything_else(page):
    for path in (*PATHS, "/", "/token/nothing"):
        headers = ask(page, path)[2]
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert "trusted-types 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Access-Control-Allow-Origin"] is None
        assert "server" not in headers


def test_the_page_has_no_script_of_its_own_and_names_no_other_place(page):
    text = ask(page, "/token/")[1].decode()
    assert [name for name in SCRIPTS if f'<script src="static/{name}" defer>' in text] == list(SCRIPTS)
    for name in (*SCRIPTS, "page.css"):
        content = ask(page, f"/token/static/{name}")[1].decode()
        assert set(re.findall(r"\w+://[^\"\s]*|[\"'(]//[^\"\s]*", content)) <= {"http://www.w3.org/2000/svg"}
        for danger in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("):
            assert danger not in content
    assert json_for_html("</script><!--&\u2028") == '"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028"'


def test_no_path_of_a_browser_is_opened(page):
    for path in (
        "static/../app.py",
        "static/..%2fapp.py",
        "static/%2e%2e/%2e%2e/etc/passwd",
        "static//etc/passwd",
        "static/evil.js",
        "picture/..%2f..%2fsource.json/small",
        "picture/0/..%2flarge",
        "picture/0/huge",
        "picture/-1/small",
        "picture/99999/small",
        "picture/99999999999999999999/small",
        "picture/%D9%A1/small",
        "picture/t99999/small",
        "picture/tt1/small",
        "picture/etc/small",
        "api/row/99999",
        "api/row/-1",
    ):
        assert ask(page, f"/token/{path}")[0] == 404, path


def test_pictures_are_scaled_and_may_be_kept(page, review):
    status, content, headers = ask(page, "/token/picture/0/large?hash")
    assert status == 200
    assert headers["Content-Type"] == "image/png"
    assert "immutable" in headers["Cache-Control"]
    assert Image.open(io.BytesIO(content)).size == (32, 32)
    assert Image.open(io.BytesIO(ask(page, "/token/picture/t0/small")[1])).size == (16, 16)
    source = page.desk.review.source
    row = next(row for row in range(1, 60))
    (source.path / source.ids[row]).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    status, content, _ = ask(page, f"/token/picture/{row}/small")
    assert status == 400
    assert b"the png is broken" in content
    (source.path / source.ids[row]).unlink()
    assert ask(page, f"/token/picture/{row}/small")[0] == 404


def test_writing_needs_the_pages_origin_and_its_own_form(page):
    good = decisions((0, "drop", None))
    assert act(page, "decide", good, Origin=None)[0] == 403
    assert act(page, "decide", good, Content_Type="text/plain")[0] == 415
    assert act(page, "decide", good, Content_Type="application/x-www-form-urlencoded")[0] == 415
    assert ask(page, "/token/api/decide", "GET")[0] == 405
    assert ask(page, "/token/api/state", "POST", b"", Origin=f"http://{page.host}")[0] == 405
    assert act(page, "decide", b"x" * 2_000_000)[0] == 413
    for bad in (
        b"",
        b"[]",
        b"{",
        {"key": "0123456789", "decisions": [{"row": -1, "verdict": "drop"}]},
        {"key": "0123456789", "decisions": [{"row": 0, "verdict": "undo"}]},
        {"key": "0123456789", "decisions": [{"row": 0, "verdict": "drop", "id": "/etc/passwd"}]},
        {"key": "short", "decisions": []},
        decisions((0, "label", "x" * 2000)),
        decisions((0, "label", None)),
        decisions((0, "drop", "cat")),
        decisions(*[(0, "drop", None)] * 1001),
        {name: value for name, value in decisions((0, "drop", None)).items() if name != "round"},
    ):
        assert act(page, "decide", bad)[0] == 422, bad
    status, content, _ = act(page, "decide", decisions((10**9, "drop", None)))
    assert (status, b"there is no such row" in content) == (400, True)
    assert page.desk.review.log.path.read_bytes() == b""


def test_the_same_action_sent_twice_is_done_once(page, review):
    for _ in range(3):
        status, content, _ = act(page, "decide", decisions((0, "drop", None), (1, "unsure", None)))
        found = json.loads(content)
        assert (status, found["rows"]) == (200, [0, 1])
        assert found["state"]["looked"] == 2
    assert len(open_review(review).log.entries) == 2
    for _ in range(2):
        found = json.loads(act(page, "undo", {"key": "another key"})[1])
        assert found["rows"] == [0, 1]
    assert json.loads(act(page, "undo", {"key": "a third key"})[1])["rows"] == []
    assert json.loads(act(page, "redo", {"key": "a fourth key"})[1])["rows"] == [0, 1]
    assert len(open_review(review).log.entries) == 6


def test_what_is_logged_is_what_was_shown(page, review):
    row = int(page.desk.round.order[3])
    shown = json.loads(ask(page, f"/token/api/row/{row}")[1])
    act(page, "decide", decisions((row, "label", shown["given"])))
    act(page, "decide", decisions((row, "label", shown["suggested"]), key="another key"))
    first, second = open_review(review).log.entries
    assert (first.verdict, first.label) == ("keep", None)
    assert (second.verdict, second.label) == ("label", shown["suggested"])
    assert second.at > first.at
    assert second.shown.model_dump() == {
        "given": shown["given"],
        "suggested": shown["suggested"],
        "probability": shown["probability"],
        "suspicion": shown["suspicion"],
        "place": 4,
        "round": 0,
    }
    assert (second.id, second.hash, second.by) == (shown["id"], shown["picture"], "ann")


def test_a_row_comes_with_its_reasons(page):
    row = int(page.desk.round.order[0])
    shown = json.loads(ask(page, f"/token/api/row/{row}")[1])
    assert [group["label"] for group in shown["near"]] == [shown["suggested"], shown["given"]]
    assert {group["kind"] for group in shown["near"]} == {"trusted"}
    for group in shown["near"]:
        assert len(group["rows"]) == 3
        assert {one["given"] for one in group["rows"]} == {group["label"]}
        assert all(ask(page, f"/token/picture/{one['key']}/small")[0] == 200 for one in group["rows"])
    same = shown["same"]
    assert all((one["given"], one["suggested"]) == (shown["given"], shown["suggested"]) for one in same["rows"])
    assert row not in [one["row"] for one in same["rows"]]


def test_the_command_refuses_what_it_cannot_serve(review, tmp_path, capsys):
    def refused(*arguments):
        assert main(["review", *map(str, arguments)]) == 1
        return capsys.readouterr().err

    assert "there is no such folder" in refused(tmp_path / "nothing")
    assert "there is no source.json in it" in refused(tmp_path)
    assert "--as: ' ' is not a name" in refused(review, "--as= ")
    assert "--batch: it is 0" in refused(review, "--batch=0")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert "cannot be used" in refused(review, f"--port={taken.getsockname()[1]}")
    assert "cannot be used" in refused(review, "--port=99999")
    assert "--size: it is 0.1" in refused(review, f"--static={tmp_path / 'p.html'}", "--size=0.1")
    assert "--size: it is nan" in refused(review, f"--static={tmp_path / 'p.html'}", "--size=nan")
    assert "leave out --static" in refused(review, f"--static={tmp_path / 'p.html'}", "--first-looks")
    for flag in ("--as=ann", "--port=8000", "--batch=3", "--no-browser"):
        assert "it is for the page that is served" in refused(review, f"--static={tmp_path / 'p.html'}", flag)
    assert "--size: it is for the page that is written to a file" in refused(review, "--size=3")
    assert "name it .html" in refused(review, f"--static={tmp_path / 'p.txt'}")
    assert "in a folder that the command reads" in refused(review, f"--static={review / 'p.html'}")
    (review.parent / "photos" / "one" / "p9999.png").write_bytes(
        (next((review.parent / "photos").rglob("*.png"))).read_bytes()
    )
    assert "ranking.csv: it has 60 of the 61 rows" in refused(review)
