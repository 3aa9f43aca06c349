"""`fixfirst review`: serves the review page on this machine until it is interrupted."""

import secrets
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import uvicorn

from cleaning.errors import InvalidInput, count_of
from evaluation.files.progress import Reporter
from evaluation.labels.decisions import reviewer
from evaluation.labels.opened import open_review
from evaluation.labels.page.app import make_app
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.guard import Guard
from evaluation.labels.page.views import Views

_BATCH = 10


@dataclass(frozen=True)
class Session:
    """Who reviews what.

    by: None for the login name. port: 0 for any that is free. batch: looks between two rounds; None: ten. browse: open
    a browser. first_looks: begin with the drawn rows.
    """

    review: Path
    by: str | None
    port: int = 0
    batch: int | None = None
    browse: bool = True
    first_looks: bool = False


def serve(session: Session, reporter: Reporter) -> None:
    """Serves the page.

    Raises InvalidInput for a folder that is not a review, for a port that is taken, for first looks where no rows were
    drawn, and for a batch where no rounds are computed.
    """
    by = reviewer(session.by)
    if session.batch is not None and session.batch < 1:
        raise InvalidInput("--batch", f"it is {session.batch}", "use a number from 1")
    review = open_review(session.review, reporter)
    if session.first_looks and not review.description.first_looks:
        problem = "no rows were drawn for this ranking, since it has trusted rows or few labels"
        raise InvalidInput("--first-looks", problem, "leave it out")
    if session.batch is not None and review.source.stored is not None:
        problem = "the data are ranked by blocks, so only `fixfirst rank` computes their order anew"
        raise InvalidInput("--batch", problem, "leave it out")
    desk = Desk(review, by, session.batch or _BATCH, first_looks=session.first_looks)
    with listening(session.port) as listener:
        port = int(listener.getsockname()[1])
        token = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{port}/{token}/"
        app = make_app(Views(desk), token, port)
        reporter.say(
            f"{desk.review.name}: {count_of(len(desk.review.source), 'row')}, {len(desk.verdicts.rows)} looked at"
        )
        reporter.say(f"review it at {address}")
        reporter.say("every decision is saved at once; Ctrl-C ends the page")
        with _browser(address) if session.browse else nullcontext(), suppress(KeyboardInterrupt):
            server_of(app).run(sockets=[listener])
    reporter.say(
        f"{count_of(len(desk.verdicts.rows), 'row')} looked at; next: fixfirst apply {session.review} --output=…"
    )


@contextmanager
def _browser(address: str) -> Iterator[None]:
    """Opens a browser by a file that only this user can read, because others can see the arguments of a process."""
    with NamedTemporaryFile("w", suffix=".html") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">')
        file.flush()
        webbrowser.open(Path(file.name).as_uri())
        yield


def server_of(app: Guard) -> uvicorn.Server:
    """A server that says nothing, not even its name."""
    return uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", server_header=False, ws="none"))


def listening(port: int) -> socket.socket:
    """A socket of this machine alone, to which a browser can connect at once. Raises InvalidInput if it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InvalidInput("--port", f"port {port} cannot be used ({error})", "use another, or 0 for any") from error
    return listener
