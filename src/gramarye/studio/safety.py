"""Who may ask: a token, and requests that come from our own page on this machine.

Each rule closes a class of published holes of local web servers. Host must be a loopback name, else a foreign page
could reach us under a name of its own whose address it changes (DNS rebinding). What changes something must come from
our own page (Origin; `null` is nobody's). Whatever /api/ has needs the token, as a cookie or as a header. All
responses forbid scripts, frames and connections of foreign origin.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gramarye.studio.answers import Answer
from gramarye.studio.refusals import Refusal, TooLarge, TooSlow

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
TOKEN_HEADER = "X-Gramarye-Token"
TOKEN_PATH = "/api/token"  # the one path under /api/ that needs none
HARMLESS = ("GET", "HEAD")
MAX_BODY = 24_000_000  # bytes of any request; pictures have a smaller limit of their own
PAUSE, LONGEST = 30.0, 120.0  # seconds, within a body and for the whole of it
UNKEPT = "no-store"
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "object-src 'none'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}


def new_token() -> str:
    """A token that nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


def same(given: str | None, token: str) -> bool:
    """Whether a token is the right one, in a time that says nothing about it."""
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def cookie_name(port: int) -> str:
    """The name of the cookie; cookies are shared by all ports of a machine."""
    return f"gramarye_{port}"


def cookie(port: int, token: str) -> str:
    """The value of Set-Cookie that lets a page in: out of reach of scripts, never sent from foreign pages."""
    return f"{cookie_name(port)}={token}; HttpOnly; SameSite=Strict; Path=/"


class Refused(Refusal):
    """The request is not from our page or not from one who may ask."""

    status = 403


class Unauthorized(Refusal):
    """The token is missing or wrong."""

    status = 401


class Guard:
    """Stands before the whole studio: answers what must not pass, and marks every response with HEADERS."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self.app, self.token, self.port = app, token, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _marked(send))
        else:  # nothing here speaks anything else
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.check(scope["method"], scope["path"], Headers(scope=scope))
        except Refusal as refusal:
            await Answer({"error": str(refusal)}, refusal.status)(scope, receive, send)
            return
        with suppress(ClientDisconnect):  # in the middle of what it sent: there is nobody to answer
            await self.app(scope, _counted(receive), send)

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Raises Refused or Unauthorized unless the request may pass."""
        _check_host(headers)
        if not path.startswith("/api/") and method in HARMLESS:
            return
        by_header = same(headers.get(TOKEN_HEADER), self.token)
        _check_origin(method, headers, by_header)
        if path.startswith("/api/") and path != TOKEN_PATH and not by_header and not self._by_cookie(headers):
            remedy = "open the address that gramarye serve printed, or give its token"
            raise Unauthorized("the studio needs the token of this start", "none that fits", remedy)

    def _by_cookie(self, headers: Headers) -> bool:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(self.port))
        except CookieError:
            return False
        return found is not None and same(found.value, self.token)


def _check_host(headers: Headers) -> None:
    hosts = headers.getlist("host")
    name = hosts[0].rpartition(":")[0] if len(hosts) == 1 and _has_port(hosts[0]) else "".join(hosts)
    if len(hosts) != 1 or name.lower() not in LOOPBACK:
        received = ", ".join(hosts)[:80] or "none"
        raise Refused("the studio answers under 127.0.0.1 and localhost", received, "use the address it printed")


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdecimal() and not host.endswith("]")


def _check_origin(method: str, headers: Headers, by_header: bool) -> None:
    """Our own page, or none at all: the address bar, or a program that knows the token."""
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
    ours = "http://" + headers["host"].lower()
    if origins:
        allowed = [origin.lower() for origin in origins] == [ours]
    elif method in HARMLESS:
        allowed = site in (None, "same-origin", "none")
    else:
        allowed = site in ("same-origin", "none") or (site is None and by_header)
    if not allowed:
        received = ", ".join(origins)[:80] or f"no origin, site {site}"
        raise Refused("requests must come from the studio's own page", received, "open the address it printed")


def _marked(send: Send) -> Send:
    """`send`, with the headers of safety on every response; nothing is kept by anybody unless it says so."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", UNKEPT)
        await send(message)

    return marked


def _counted(receive: Receive) -> Receive:
    """`receive`, which raises TooLarge and TooSlow for a body that is too large or does not come."""
    count, ended = 0, False
    begun = time.monotonic()

    async def counted() -> Message:
        nonlocal count, ended
        if ended:  # from here on one waits for the other side to go away, which may take as long as it likes
            return await receive()
        left = min(PAUSE, begun + LONGEST - time.monotonic())
        try:
            message = await asyncio.wait_for(receive(), max(left, 0))
        except TimeoutError:
            raise TooSlow("a request must come without long pauses", f"nothing for {left:.0f} s") from None
        count += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if count > MAX_BODY:
            raise TooLarge(f"a request has at most {MAX_BODY // 1_000_000} MB", f"{count / 1e6:.1f} MB")
        return message

    return counted
