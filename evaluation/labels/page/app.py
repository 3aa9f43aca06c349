"""The review page over HTTP: for this machine and this address only, and without a path that a browser could choose."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cleaning.errors import FixfirstError, sentence
from evaluation.labels.decisions import Entry, label_where_it_belongs
from evaluation.labels.page.desk import Wish
from evaluation.labels.page.guard import Guard
from evaluation.labels.page.markup import SCRIPTS, page_html, static_text
from evaluation.labels.page.pictures import BOXES, Scaled
from evaluation.labels.page.views import Query, Views

_MOST_ROWS = 1000
_LARGEST_BODY = 1 << 20
_REMEMBERED = 1000
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_TYPES = {"css": "text/css", "js": "text/javascript"}


class Decided(BaseModel):
    """One decision as the browser sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[int, Field(ge=0)]
    verdict: Literal["keep", "label", "drop", "unsure"]
    label: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _label_where_it_belongs(self) -> Self:
        return label_where_it_belongs(self)


class Action(BaseModel):
    """What the browser asks for. key: the same for every attempt to send the same action, so that it is done once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, Field(min_length=8, max_length=64)]


class Decide(Action):
    """Decisions to save. round: the one by which their rows were shown."""

    round: Annotated[int, Field(ge=0)]
    decisions: Annotated[tuple[Decided, ...], Field(max_length=_MOST_ROWS)]


_A = TypeVar("_A", bound=Action)


class Page:
    """The answers to the browser's requests."""

    def __init__(self, views: Views) -> None:
        self._views, self._desk = views, views.desk
        self._pictures = Scaled()
        self._static = {name: static_text(name) for name in ("page.css", *SCRIPTS)}
        self._answered: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def index(self, _: Request) -> Response:
        """The page itself."""
        self._desk.follow()
        review = self._desk.review
        start = {
            "name": review.name,
            "total": len(review.source),
            "by": self._desk.by,
            "classes": self._desk.classes,
            "annotators": self._views.annotators,
            "state": self._views.state(),
        }
        return Response(page_html(review.name, start), media_type="text/html", headers={"Cache-Control": "no-store"})

    def static(self, request: Request) -> Response:
        """The style and the scripts, by their names."""
        name = request.path_params["name"]
        if name not in self._static:
            return PlainTextResponse("not found", 404)
        return Response(self._static[name], media_type=_TYPES[name.rpartition(".")[2]])

    def state(self, _: Request) -> Response:
        """How far the review is."""
        self._desk.follow()
        return JSONResponse(self._views.state())

    def rows(self, request: Request) -> Response:
        """A list of rows."""
        asked = dict(parse_qsl(request.url.query, keep_blank_values=True))
        numbers = {name: _whole(asked.get(name)) for name in ("round", "from", "count")}
        query = Query(
            given=asked.get("given"),
            suggested=asked.get("suggested"),
            label=asked.get("class"),
            state=asked.get("state"),
            by=asked.get("by"),
            annotator=asked.get("annotator"),
            vote=asked.get("vote"),
            find=asked.get("find"),
            round=numbers["round"],
            start=numbers["from"] or 0,
            count=min(50 if numbers["count"] is None else numbers["count"], _MOST_ROWS),
        )
        return JSONResponse(self._views.rows(query))

    def row(self, request: Request) -> Response:
        """One row."""
        row = request.path_params["row"]
        if row >= len(self._desk.review.source):
            return PlainTextResponse("there is no such row", 404)
        return JSONResponse(self._views.row(row, _whole(request.query_params.get("round"))))

    def picture(self, request: Request) -> Response:
        """The scaled picture of a row, or of a trusted row: `t` and its number."""
        key, size = request.path_params["key"], request.path_params["size"]
        review = self._desk.review
        source = review.trusted if key.startswith("t") else review.source
        row = _whole(key.removeprefix("t"))
        if source is None or row is None or row >= len(source) or size not in BOXES:
            return PlainTextResponse("there is no such picture", 404)
        found = self._pictures.get(key, size, lambda: source.picture(row))
        if found is None:
            return PlainTextResponse("there is no such picture", 404)
        return Response(found[0], media_type=found[1], headers=_FOREVER)

    async def decide(self, request: Request) -> Response:
        """Saves decisions."""

        def done(action: Decide) -> list[Entry]:
            wishes = [Wish(one.row, one.verdict, one.label) for one in action.decisions]
            return self._desk.decide(wishes, action.round)

        return await self._act(request, Decide, done)

    async def undo(self, request: Request) -> Response:
        """Takes back the reviewer's last action."""
        return await self._act(request, Action, lambda _: self._desk.undo())

    async def redo(self, request: Request) -> Response:
        """Repeats what was taken back last."""
        return await self._act(request, Action, lambda _: self._desk.redo())

    async def _act(self, request: Request, kind: type[_A], done: Callable[[_A], list[Entry]]) -> Response:
        if request.headers.get("content-type") != "application/json":
            return PlainTextResponse("send application/json", 415)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_BODY:
                return PlainTextResponse("too much at once", 413)
        try:
            action = kind.model_validate_json(body)
        except ValidationError as error:
            return PlainTextResponse(f"this is not an action ({error.errors()[0]['msg']})", 422)
        return JSONResponse(await run_in_threadpool(self._once, action, done))

    def _once(self, action: _A, done: Callable[[_A], list[Entry]]) -> dict[str, Any]:
        """Does an action that was not done before, and says what is true now."""
        with self._desk.lock:
            if action.key not in self._answered:
                self._answered[action.key] = {"rows": [entry.row for entry in done(action)]}
                while len(self._answered) > _REMEMBERED:
                    self._answered.popitem(last=False)
            return {**self._answered[action.key], "state": self._views.state(), "classes": self._desk.classes}


def make_app(views: Views, token: str, port: int) -> Guard:
    """The application, for http://127.0.0.1:port/token/ and no other address."""
    page = Page(views)
    routes = [
        Route("/", page.index),
        Route("/static/{name}", page.static),
        Route("/api/state", page.state),
        Route("/api/rows", page.rows),
        Route("/api/row/{row:int}", page.row),
        Route("/picture/{key}/{size}", page.picture),
        Route("/api/decide", page.decide, methods=["POST"]),
        Route("/api/undo", page.undo, methods=["POST"]),
        Route("/api/redo", page.redo, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={FixfirstError: _refused, Exception: _failed})
    return Guard(app, token, port)


def _refused(request: Request, error: Exception) -> Response:
    return PlainTextResponse(sentence(error), 400)


def _failed(request: Request, error: Exception) -> Response:
    return PlainTextResponse(sentence(error), 500)


def _whole(text: str | None) -> int | None:
    """A whole number written in up to nine digits; None for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else None
