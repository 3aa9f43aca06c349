import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cleaning import FixfirstError
from evaluation.files.transfer import fetch_url

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `troubles` are taken one a request: an error code, or a number of bytes to break off after."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.troubles, self.ranges = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        trouble = self.server.troubles.pop(0) if self.server.troubles else None
        if isinstance(trouble, int) and 400 <= trouble < 600:
            self.send_error(trouble)
            return
        start = int(asked[6:-1]) if asked else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:] if trouble is None else CONTENT[start : start + trouble])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(server, part, sha256=SHA256):
    told = []
    result = fetch_url(server.url, sha256, part, lambda done, _total, _note="": told.append(done), pause=0.001)
    return result, told


def test_a_file_comes_whole_with_progress(server, tmp_path):
    path, told = fetch(server, tmp_path / "deep" / "x.part")
    assert path.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path):
    server.troubles = [5000, 503, 70000]
    path, _ = fetch(server, tmp_path / "x.part")
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=5000-", "bytes=5000-", "bytes=75000-"]


def test_what_an_earlier_call_left_is_used(server, tmp_path):
    part = tmp_path / "x.part"
    server.troubles = [1000] * 4
    with pytest.raises(FixfirstError, match=r"ended after 4000 of 1024000 bytes.*4000 bytes are kept for the next try"):
        fetch(server, part)
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    fetch(server, part)  # complete already: the server answers 416
    assert server.ranges[-1] == f"bytes={len(CONTENT)}-"


@pytest.mark.parametrize(("code", "requests"), [(404, 1), (403, 1), (500, 4), (429, 4)])
def test_only_errors_that_may_pass_are_tried_again(server, tmp_path, code, requests):
    server.troubles = [code] * 9
    with pytest.raises(FixfirstError, match=f"the server answered {code}"):
        fetch(server, tmp_path / "x.part")
    assert len(server.ranges) == requests


def test_a_wrong_file_is_not_kept(server, tmp_path):
    with pytest.raises(FixfirstError, match=f"the sha256 is {SHA256}, not 0000"):
        fetch(server, tmp_path / "x.part", "0000")
    assert not (tmp_path / "x.part").exists()


def test_a_server_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(FixfirstError, match=r"cannot be downloaded .*refused"):
        fetch_url("http://127.0.0.1:9/x", SHA256, tmp_path / "x", pause=0.001)
