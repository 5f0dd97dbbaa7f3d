"""`livelift collect`: Segment's HTTP tracking API, answered with 200 only when Kafka has acknowledged every event.

A repeated request makes the same events with the same ids (Segment's messageId), so a client that got no answer sends
again without harm. What one event of a batch lacks does not keep the others back: they are sent, and the answer is 400
with what was refused and why. Source: Segment, "HTTP Tracking API Source" (2024): paths, Basic authentication with the
write key as user name, 500 KB a batch.
"""

import asyncio
import base64
import binascii
import hmac
import signal
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from confluent_kafka import KafkaError, Message, Producer

from livelift.settings import Settings
from livelift.sources.mapping import Mapping, Segment, read_mapping
from livelift.sources.row import Row, SourceError, Unreadable
from livelift.sources.shape import Judge, Refused, Shape
from models.clock import micros, rfc3339
from models.events import SOURCES
from models.foreign import SEGMENT_KINDS
from streams.config import Surroundings
from streams.placement import Placement

BODY_LIMIT = 512_000
IN_FLIGHT = 20_000
"""Events that wait for Kafka at most; beyond it clients are asked to come back later (429)."""
ANSWER_S = 10.0
SHUTDOWN_S = 30.0
FROM = "collector"


class Sendable(NamedTuple):
    """A record for a source topic."""

    topic: str
    account: str
    value: bytes


class NotTaken(RuntimeError):
    """Kafka did not acknowledge in time."""


class Kafka:
    """Sends, and says when it is acknowledged, to a loop that must not block: deliveries are polled in a thread.

    answer_s: how long Kafka has to acknowledge.
    """

    def __init__(self, here: Surroundings, answer_s: float = ANSWER_S) -> None:
        self.here = here
        self.waiting = 0
        self._place = Placement(here.partitions).of
        self._producer = Producer({
            **here.confluent, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4",
            "message.timeout.ms": round(answer_s * 1000), "message.max.bytes": 2_000_000, "log_level": 3,
        })  # fmt: skip
        self._ended = Flag()
        self._thread = Thread(target=self._poll, daemon=True)
        self._thread.start()

    async def send(self, records: Iterable[Sendable]) -> None:
        """Returns when all of them are acknowledged; raises NotTaken."""
        loop = asyncio.get_running_loop()
        answers = [self._one(record, loop) for record in records]
        for error in await asyncio.gather(*answers):
            if error is not None:
                raise NotTaken(error)

    def _one(self, record: Sendable, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[str | None]":
        answer: asyncio.Future[str | None] = loop.create_future()
        self.waiting += 1

        def delivered(error: KafkaError | None, message: Message | None = None) -> None:
            loop.call_soon_threadsafe(settle, None if error is None else error.str())

        def settle(error: str | None) -> None:
            self.waiting -= 1
            if not answer.done():
                answer.set_result(error)

        key, partition = record.account.encode(), self._place(record.account)
        try:
            self._producer.produce(self.here.topic(record.topic), record.value, key, partition, on_delivery=delivered)
        except BufferError:
            settle("its queue is full")
        return answer

    def _poll(self) -> None:
        while not self._ended.is_set():
            self._producer.poll(0.1)

    def close(self) -> None:
        """Send what is queued, then end."""
        self._producer.flush(SHUTDOWN_S)
        self._ended.set()
        self._thread.join()


class Collector:
    """The HTTP side. `kafka` is asked to `send` and says how many are `waiting`; `now` tells the time, microseconds."""

    def __init__(self, kafka: Any, shape: Shape, write_key: str | None, now: Any) -> None:
        self.kafka, self.shape, self.write_key, self.now = kafka, shape, write_key, now

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT)
        for kind in SEGMENT_KINDS:
            app.router.add_post(f"/v1/{kind}", self.one)
        app.router.add_post("/v1/batch", self.batch)
        app.router.add_get("/health", self.health)
        return app

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"waiting": self.kafka.waiting})

    async def one(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        return await self._take([{"type": request.path.rpartition("/")[2], **body}])

    async def batch(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        events = body.get("batch")
        if not isinstance(events, list):
            raise _bad("required_missing", "no list `batch`")
        common = {"context": body["context"]} if isinstance(body.get("context"), dict) else {}
        return await self._take([{**common, **one} if isinstance(one, dict) else one for one in events])

    async def _body(self, request: web.Request) -> dict[str, Any]:
        """The request's JSON object, of somebody who has the key; raises the answer that says what is wrong."""
        if self.write_key is not None and not _authorised(request.headers.get("Authorization", ""), self.write_key):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})
        if self.kafka.waiting >= IN_FLIGHT:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "5"})
        try:
            body = msgspec.json.decode(await request.read())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _bad("datatype_mismatch", f"not JSON: {error}") from error
        if not isinstance(body, dict):
            raise _bad("datatype_mismatch", "not a JSON object")
        return body

    async def _take(self, events: list[Any]) -> web.Response:
        """Send what can be read, and answer for all of it."""
        now = self.now()
        self.shape.judge.latest = now
        records: list[Sendable] = []
        refused: list[dict[str, Any]] = []
        for index, event in enumerate(events):
            try:
                records += self._records(event, now)
            except Unreadable as error:
                reason = error.reason if isinstance(error, Refused) else "datatype_mismatch"
                refused.append({"index": index, "reason": reason, "detail": str(error)})
        try:
            await self.kafka.send(records)
        except NotTaken as error:
            said = {"success": False, "detail": f"Kafka does not answer: {error}"}
            return web.json_response(said, status=503, headers={"Retry-After": "5"})
        if refused:
            taken = len(events) - len(refused)
            return web.json_response({"success": False, "accepted": taken, "refused": refused}, status=400)
        return web.json_response({"success": True})

    def _records(self, event: Any, now: int) -> list[Sendable]:
        """An event as records: ours where it maps onto one, else as it came, for the scorer to count by its name."""
        if not isinstance(event, dict):
            raise Unreadable("not a JSON object")
        if event.get("type") not in SEGMENT_KINDS:
            raise Unreadable(f"`type` is none of {', '.join(SEGMENT_KINDS)}")
        if not isinstance(event.get("messageId"), str):
            raise Unreadable("no `messageId`, by which a repeated request is known")
        stated = {"timestamp": rfc3339(now), **{name: held for name, held in event.items() if held is not None}}
        made = self.shape(Row(FROM, 0, dict(stated)))
        if made:
            return [Sendable(SOURCES[one.topic], one.account or "", one.value) for one in made]
        context = event.get("context")
        group = event.get("groupId") or (context.get("groupId") if isinstance(context, dict) else None)
        who = group or event.get("userId") or event.get("anonymousId")
        return [Sendable(SOURCES[0], str(who or event["messageId"]), msgspec.json.encode(stated))]


def collector(here: Surroundings, kafka: Any, settings: Settings, mapping: Path | None, now: Any) -> Collector:
    """A collector by these settings; SourceError for a mapping that is not of Segment's objects."""
    given = Mapping(Segment(name=FROM)) if mapping is None else read_mapping(mapping)
    if not isinstance(given.source, Segment):
        raise SourceError(f'{mapping}: the collector takes Segment\'s objects: kind = "segment"')
    if any(event.alias is not None or event.links for event in given.event):
        raise SourceError(f"{mapping}: aliases are not resolved by the collector; use account_id")
    key = settings.collector_write_key
    shape = Shape(given, Judge(here.product, now()))
    return Collector(kafka, shape, None if key is None else key.get_secret_value(), now)


def serve(here: Surroundings, settings: Settings, host: str, port: int, mapping: Path | None) -> None:
    """Listen until SIGTERM or Ctrl-C; then answer what was begun, and send what is queued."""
    kafka = Kafka(here)
    try:
        asyncio.run(_serve(collector(here, kafka, settings, mapping, wall_clock), host, port))
    finally:
        kafka.close()


async def _serve(collector: Collector, host: str, port: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(collector.app(), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    listening: Any = runner.addresses[0]
    print(f"collecting on http://{listening[0]}:{listening[1]}/v1/batch", file=sys.stderr, flush=True)
    await ended.wait()
    await runner.cleanup()


def wall_clock() -> int:
    return micros(datetime.now(UTC))


def _bad(reason: str, detail: str) -> web.HTTPBadRequest:
    said = {"success": False, "accepted": 0, "refused": [{"reason": reason, "detail": detail}]}
    return web.HTTPBadRequest(text=msgspec.json.encode(said).decode(), content_type="application/json")


def _authorised(header: str, key: str) -> bool:
    """Basic authentication with the write key as user name."""
    scheme, _, text = header.partition(" ")
    try:
        given = base64.b64decode(text, validate=True).partition(b":")[0]
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, key.encode())
