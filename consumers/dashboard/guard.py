"""Who may look, and what a browser may do with a page."""

import hashlib
import hmac
from secrets import compare_digest, token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from consumers.dashboard.config import Here

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "font-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SESSION, NAME = "livelift_session", "livelift_name"
LOOPBACK = "localhost", "127.0.0.1", "::1", "[::1]"


class Guard:
    """Sessions are a random id and its signature; forms carry a signature of the session's id."""

    def __init__(self, here: Here) -> None:
        self._here = here
        ours = here.token or token_urlsafe(32)
        self._secret = here.secret or hashlib.sha256(f"livelift dashboard {ours}".encode()).digest()

    def _signed(self, what: str, text: str) -> str:
        return hmac.new(self._secret, f"{what}:{text}".encode(), hashlib.sha256).hexdigest()

    def is_named(self, request: Request) -> bool:
        """Whether the request came under a name of ours: else a page elsewhere could be made to point here."""
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        return host in (self._here.names or LOOPBACK)

    def user(self, request: Request) -> str | None:
        """Who looks, as the proxy says; None where none does."""
        return request.headers.get(self._here.proxy_header) or None if self._here.proxy_header else None

    def may_look(self, request: Request) -> bool:
        if self._here.proxy_header:
            return self.user(request) is not None
        if self._here.token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(given):
            return True
        id_, _, signature = request.cookies.get(SESSION, "").partition(".")
        return bool(id_) and compare_digest(signature, self._signed("session", id_))

    def knows(self, token: str) -> bool:
        return self._here.token is not None and compare_digest(token.encode(), self._here.token.encode())

    def session(self, request: Request) -> str | None:
        """The session's id, if there is one that we have made."""
        id_, _, signature = request.cookies.get(SESSION, "").partition(".")
        return id_ if id_ and compare_digest(signature, self._signed("session", id_)) else None

    def begin(self, response: Any, secure: bool) -> str:
        """Begin a session; returns its id."""
        id_ = token_urlsafe(18).replace(".", "")
        response.set_cookie(SESSION, f"{id_}.{self._signed('session', id_)}", httponly=True, samesite="strict",
                            secure=secure, path="/")  # fmt: skip
        return id_

    def form_token(self, session: str) -> str:
        return self._signed("form", session)

    def may_write(self, request: Request, given: str) -> bool:
        """Whether a form was filled in on a page of ours, in this session."""
        session = self.session(request)
        origin = request.headers.get("origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
        return session is not None and same and compare_digest(given, self.form_token(session))
