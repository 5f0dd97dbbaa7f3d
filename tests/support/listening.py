"""Those who hear of alerts in tests: a web server and a mail server on loopback, that can be out of order."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

from consumers.alerts.channels import signature
from livelift.local.process import free_port


class Heard(NamedTuple):
    """A message as it was taken. at: wall seconds. key: its idempotency key."""

    at: float
    key: str
    body: dict[str, Any]
    signed: bool


class Hook:
    """A webhook. While `down` it answers 503, and nobody has heard; while `slow` it takes so many seconds.
    begun: messages that somebody has begun to send."""

    def __init__(self, secret: str | None = None) -> None:
        self.heard: list[Heard] = []
        self.down, self.slow, self.refused, self.begun = False, 0.0, 0, 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.begun += 1
                if hook.slow:
                    threading.Event().wait(hook.slow)
                if hook.down:
                    hook.refused += 1
                    self.send_response(503)
                else:
                    at, given = self.headers.get("X-Livelift-Timestamp"), self.headers.get("X-Livelift-Signature")
                    signed = secret is not None and given == signature(secret, at or "", body)
                    hook.heard.append(Heard(time(), self.headers["Idempotency-Key"], json.loads(body), signed))
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not on the tests' output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> "Hook":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self) -> list[tuple[str, str, str]]:
        """(owner, account, rule) of every alert heard of, in order; digests alert by alert."""
        told = (alert for one in [*self.heard] for alert in one.body.get("alerts", [one.body]))
        return [(alert["owner"], alert["account_id"], alert["rule"]) for alert in told]


class _Box:
    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@contextmanager
def mailbox() -> Iterator[tuple[int, list[Message]]]:
    """A mail server: its port, and the mails that it has taken."""
    box = _Box()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, box.mails
    finally:
        controller.stop()
