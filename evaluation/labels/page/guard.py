"""Lets through only requests that come from the page itself, and tells the browser to be as strict."""

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Wraps an application that answers at http://127.0.0.1:port/token/.

    Refused are another Host (DNS rebinding), another Origin or site (requests from other pages), writing without an
    Origin, and any address without the token.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return

        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        problem = self._problem(scope)
        if problem is not None:
            await PlainTextResponse(problem[1], problem[0])(scope, receive, strictly)
            return
        rest = scope["path"].split("/", 2)[2]
        await self._app({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, strictly)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421, "this page is for this machine only"
        if origins and origins != [f"http://{hosts[0]}"]:
            return 403, "this request is from another page"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not _is_opened(scope, headers):
            return 403, "this request is from another page"
        if scope["method"] == "POST" and not origins:
            return 403, "this request does not say where it is from"
        parts = scope["path"].split("/", 2)
        if len(parts) < 3 or not secrets.compare_digest(parts[1].encode(), self._token.encode()):
            return 404, "not found; the address needs the token that `fixfirst review` printed"
        return None


def _is_opened(scope: Scope, headers: Headers) -> bool:
    """Whether the request opens the page in a window of its own, where no other page can see or use it."""
    opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opens and scope["method"] == "GET"
