"""The way of an event, on one page: decode, place, advance the row, settle the sums, say what moved.

A `Partition` is one worker's hold on one Kafka partition of the three source topics. It takes whole batches and gives
back `Effects`: what to send and which rows to write. It never does either itself, and it never asks what time it is;
time is what the ticks say. The same object runs live, in replay and in the tests.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

import xxhash

from models.clock import DAY, day_of, start_of
from models.closing import change_over, with_close
from models.contribution import Contribution, World, after_usage, contribution_of
from models.decode import Decode, Ignored, Reason, Refusal, event_time, implausible
from models.events import SOURCES, Event, Forget, TaskCompleted, TaskFailed, TaskStarted, Tick
from models.facts import USAGE, advance
from models.index import WEEK, WINDOW, band_of, inputs_of, score_of
from models.messages import (
    Output,
    Said,
    encode,
    forgotten_signal,
    latest_mrr,
    partial_key,
    score_message,
    signal_message,
)
from models.rows import NEVER, Codec, PartitionRow, Row, owner_of, row_key
from models.sums import Sums

SEEN_BYTES = 64 * 8
"""Event ids are remembered as 64-bit hashes, the last 64 of each row: the published horizon of deduplication."""
AHEAD = 2 * DAY
"""How far a source topic may run ahead of the slowest one in event time; a backlog is read in step (decision 0005)."""
IGNORED_NAMES = 256
CAUSES_KEPT = 3
ORIGIN = "livelift-origin"
ORIGINAL_TIME = "livelift-timestamp"
RECORDING_END = "livelift-recording-end"
CLOCK = "livelift-clock"
TASK_EVENTS = (TaskStarted, TaskCompleted, TaskFailed)
FORGOTTEN = b"\x01"

ROWS = Codec(Row)
PARTITION_ROWS = Codec(PartitionRow)


class Record(Protocol):
    """A Kafka record as the core needs it; aiokafka's and confluent's fit as they are. Timestamp in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Effects(NamedTuple):
    """What the shell is asked to do: send the outputs and write the rows, then the partition row, then acknowledge."""

    outputs: list[Output]
    rows: dict[bytes, bytes | None]
    partition_row: bytes | None


class WrongClock(Exception):
    """A tick of the other clock: this worker was started for live events and meets a recording, or the reverse."""


class Working:
    """A row being worked on in a batch: a copy, put in place when the batch has succeeded."""

    __slots__ = ("account_id", "applied", "before", "forced", "key", "only_usage", "row", "tail", "user_id")

    def __init__(self, key: bytes, account_id: str, user_id: str | None, before: bytes | None) -> None:
        self.key, self.account_id, self.user_id, self.before = key, account_id, user_id, before
        self.row, self.tail = fresh(before)
        self.applied: list[tuple[int, int, bytes, int, Event]] = []
        self.only_usage = True
        """Whether nothing but usage has been applied, so that standings and experiments need not be read again."""
        self.forced = False
        """Whether something was redelivered: the facts stay, but what is said of them is said again."""

    def apply(self, topic: int, offset: int, digest: bytes, at: int, event: Event) -> None:
        advance(self.row, at, event)
        self.row.offsets[topic] = offset
        self.row.seen = (self.row.seen + digest)[-SEEN_BYTES:]
        if event.__class__ not in USAGE:
            self.only_usage = False

    def start_over(self) -> None:
        """After an event that failed half-way: the row again as before it, by applying the others to a fresh copy."""
        self.row, self.tail = fresh(self.before)
        for step in self.applied:
            self.apply(*step)


def fresh(value: bytes | None) -> tuple[Row, list[Any] | None]:
    return (Row([NEVER] * len(SOURCES)), None) if value is None else ROWS.decode(value)


def seen_before(seen: bytes, digest: bytes) -> bool:
    """Whether an event id's hash is among those remembered (hashes lie at multiples of eight)."""
    at = seen.find(digest)
    while at > 0 and at % 8:
        at = seen.find(digest, at + 1)
    return at >= 0


class Partition:
    """One partition's rows, sums and clock.

    number, partitions: which of how many. stored: reads a row's bytes by key. place: account id to its partition.
    clock: `live` or `log`; ticks of the other kind raise WrongClock.
    """

    def __init__(
        self,
        number: int,
        world: World,
        stored: Callable[[bytes], bytes | None],
        place: Callable[[str], int],
        clock: str = "log",
    ) -> None:
        self.number, self.world, self.clock = number, world, clock
        self._stored, self._place = stored, place
        self._decode = Decode(world.product.people_are_accounts)
        self._tasks = world.product.tasks
        self._regular = world.product.actions.regular_days_per_week
        self.sums = Sums(world)
        self.row, self._row_tail = PartitionRow([NEVER] * 3, [NEVER] * 3), None
        self.now = NEVER
        self._due: list[tuple[int, bytes]] = []
        self._suppressed: set[bytes] = set()
        self._recording_end: tuple[bytes, int] = (b"", 0)
        self._reset_batch()

    def _reset_batch(self) -> None:
        self._working: dict[tuple[str, str | None], Working] = {}
        self._pending: dict[bytes, bytes | None] = {}
        self._outputs: list[Output] = []
        self._causes: dict[str, list[tuple[int, int, Event]]] = {}
        self._to_say: dict[str, bool] = {}
        """Accounts touched in this batch -> whether by something redelivered, so that the score is sent regardless."""
        self._bookkept = False

    # -- on assignment -------------------------------------------------------------------------------------------

    def rebuild(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Derive everything from this partition's rows, on assignment and whenever a plan is published."""
        said = {account_id: account.said for account_id, account in self.sums.accounts.items()}
        self.sums = Sums(self.world)
        self._due = []
        rows = []
        for key, value in items:
            match key[:1]:
                case b"p":
                    self.row, self._row_tail = PARTITION_ROWS.decode(value)
                case b"x":
                    self._suppressed.add(key[1:])
                case _:
                    rows.append((key, value))
        self.now = min(self.row.ticks)
        for key, value in rows:
            row, _ = ROWS.decode(value)
            account_id, user_id = owner_of(key)
            self._contribute(key, row, account_id, user_id)
            if row.closes:
                self.sums.accounts[account_id].closes = row.closes
        for account_id, account in self.sums.accounts.items():
            account.said = said.get(account_id)
            self._contribute_account(account_id)
        self._mark_everything_changed()

    def _mark_everything_changed(self) -> None:
        self.sums.changed |= {("funnel", journey.id) for journey in self.world.product.journey}
        self.sums.changed |= {("experiment", experiment) for experiment in self.world.plans}

    def with_plans(self, world: World, items: Iterable[tuple[bytes, bytes]]) -> Effects:
        """Read the rows against other plans; the new sums are sent as soon as they are known."""
        self.world = world
        self.rebuild(items)
        return self._effects()

    # -- a batch -------------------------------------------------------------------------------------------------

    def may_take(self, topic: int) -> bool:
        """Whether a topic may be read on: its clock is not more than AHEAD before the slowest of the others."""
        ticks = self.row.ticks
        return ticks[topic] <= min(ticks[other] for other in range(len(ticks)) if other != topic) + AHEAD

    def process(self, topic: int, records: Sequence[Record]) -> int:
        """Take a batch of one source topic (by index), in offset order, or as much of it as may be taken now.

        Returns how many records were taken. What follows from them waits for `effects`.
        """
        taken = 0
        for record in records:
            decoded = self._decode(topic, record.value)
            taken += 1
            if isinstance(decoded, Event):
                self._event(topic, record, decoded)
            elif isinstance(decoded, Tick):
                self._tick(topic, record, decoded)
                if not self.may_take(topic):
                    break
            elif isinstance(decoded, Refusal):
                self._refuse(topic, record, decoded)
            else:
                self._ignore(topic, record, decoded)
        if taken:
            self.row.offsets[topic] = max(self.row.offsets[topic], records[taken - 1].offset)
        return taken

    def effects(self) -> Effects:
        """What everything processed since the last call asks the shell to do; afterwards it counts as stored."""
        self._settle()
        return self._effects()

    def _event(self, topic: int, record: Record, event: Event) -> None:
        account_id, user_id = event.account_id, event.user_id
        if account_id not in self.sums.accounts and self._place(account_id) != self.number:
            return self._forward(topic, record, account_id)
        at = event_time(event)
        if isinstance(at, Refusal):
            return self._refuse(topic, record, at)
        wrong = implausible(at, self._latest_plausible(record)) or self._unknown_task(event)
        if wrong is not None:
            return self._refuse(topic, record, wrong)
        if event.__class__ is Forget:
            return self._forget(account_id, user_id)
        if self._suppressed and self._is_suppressed(account_id, user_id):
            return self._count_suppressed(topic, record)
        working = self._working.get((account_id, user_id)) or self._load(account_id, user_id)
        if record.offset <= working.row.offsets[topic]:
            working.forced = True
            self._to_say[account_id] = True
            return None
        digest = xxhash.xxh3_64_digest(event.id.encode())
        if seen_before(working.row.seen, digest):
            working.row.duplicates += 1
            working.row.offsets[topic] = record.offset
            return None
        return self._apply(topic, record, working, (topic, record.offset, digest, at, event))

    def _apply(self, topic: int, record: Record, working: Working, step: tuple[int, int, bytes, int, Event]) -> None:
        event = step[4]
        try:
            working.apply(*step)
        except Exception as error:  # a fault of ours: its neighbours must not pay for it, and it must be seen
            working.start_over()
            return self._refuse(topic, record, Refusal("internal_error", f"{type(error).__name__}: {error}"))
        working.applied.append(step)
        if step[3] < start_of(self.row.closed_day + 1) and record.offset > self.row.offsets[topic]:
            self.row.late += 1
            self._bookkept = True
        self._causes.setdefault(working.account_id, []).append((topic, record.offset, event))
        return None

    def _load(self, account_id: str, user_id: str | None) -> Working:
        key = row_key(account_id, user_id)
        before = self._pending[key] if key in self._pending else self._stored(key)
        working = self._working[account_id, user_id] = Working(key, account_id, user_id, before)
        return working

    def _unknown_task(self, event: Event) -> Refusal | None:
        if isinstance(event, TASK_EVENTS) and event.properties.task not in self._tasks:
            return Refusal("out_of_range", "task is in no journey of livelift.toml")
        return None

    # -- what is not accepted ------------------------------------------------------------------------------------

    def _latest_plausible(self, record: Record) -> int:
        """Event time may not run 23 h ahead of this: of Kafka's time for the record, or of the recording's end."""
        for name, value in record.headers or ():
            if name == RECORDING_END and self.clock == "log":
                if value != self._recording_end[0]:
                    self._recording_end = (value, int(value))
                return self._recording_end[1]
            if name == ORIGINAL_TIME:
                return int(value) * 1000
        return record.timestamp * 1000

    def _is_new(self, topic: int, record: Record) -> bool:
        """Whether the partition row has not counted this record yet."""
        return record.offset > self.row.offsets[topic]

    def _refuse(self, topic: int, record: Record, refusal: Refusal) -> None:
        headers = [
            ("topic", SOURCES[topic].encode()),
            ("partition", str(self.number).encode()),
            ("offset", str(record.offset).encode()),
            ("reason", refusal.reason.encode()),
            ("detail", refusal.detail.encode()),
        ]
        self._outputs.append(Output("dead-letters", self.number, record.key, record.value, headers))
        if self._is_new(topic, record):
            self._count(self.row.refused, refusal.reason)

    def _ignore(self, topic: int, record: Record, ignored: Ignored) -> None:
        if not self._is_new(topic, record):
            return
        name = ignored.name if ignored.name in self.row.ignored or len(self.row.ignored) < IGNORED_NAMES else "(others)"
        self._count(self.row.ignored, name)
        self.row.ignored_samples[name] = f"{SOURCES[topic]}/{self.number}/{record.offset}"

    def _count(self, counts: dict[str, int], name: str | Reason) -> None:
        counts[name] = counts.get(name, 0) + 1
        self._bookkept = True

    def _forward(self, topic: int, record: Record, account_id: str) -> None:
        """Send a misplaced record on, once, to where its account lives; a second misplacement is a dead letter."""
        if any(name == ORIGIN for name, _ in record.headers or ()):
            return self._refuse(topic, record, Refusal("wrong_partition", "misplaced again after being sent on"))
        origin = f"{SOURCES[topic]}/{self.number}/{record.offset}".encode()
        headers = [*(record.headers or ()), (ORIGIN, origin), (ORIGINAL_TIME, str(record.timestamp).encode())]
        self._outputs.append(
            Output(SOURCES[topic], self._place(account_id), account_id.encode(), record.value, headers)
        )
        return None

    def _is_suppressed(self, account_id: str, user_id: str | None) -> bool:
        return fingerprint(account_id, None) in self._suppressed or fingerprint(account_id, user_id) in self._suppressed

    def _count_suppressed(self, topic: int, record: Record) -> None:
        if self._is_new(topic, record):
            self.row.suppressed += 1
            self._bookkept = True

    def _forget(self, account_id: str, user_id: str | None) -> None:
        """Remove a user's or a whole account's rows and contributions, and keep out what is sent again."""
        self._settle()
        mark = fingerprint(account_id, user_id)
        self._suppressed.add(mark)
        self._pending[b"x" + mark] = FORGOTTEN
        whole = user_id is None or self.world.product.people_are_accounts
        for key, part in list(self.sums.parts.items()):
            if part.account_id == account_id and (whole or part.user_id == user_id):
                self._pending[key] = None
                self.sums.replace(key, None)
        account_key = account_id.encode()
        if whole:
            self.sums.forget_account(account_id)
            self._suppressed.add(fingerprint(account_id, None))
            self._pending[b"x" + fingerprint(account_id, None)] = FORGOTTEN
            self._outputs.append(Output("account-scores", self.number, account_key, None))
            self._outputs.append(Output("journey-signals", self.number, account_key, None))
            self._to_say.pop(account_id, None)
        elif user_id is not None:
            self._outputs.append(
                Output("journey-signals", self.number, account_key, forgotten_signal(account_id, user_id))
            )
            self._contribute_account(account_id)
            self._to_say.setdefault(account_id, False)
        self._causes.pop(account_id, None)

    # -- settling: from worked-on rows to sums -------------------------------------------------------------------

    def _settle(self) -> None:
        """Encode the rows worked on so far and put their new contributions into the sums."""
        touched: dict[str, None] = {}
        for working in self._working.values():
            value = ROWS.encode(working.row, working.tail)
            if value != working.before:
                self._pending[working.key] = value
            old, new = self._contribute(
                working.key, working.row, working.account_id, working.user_id, working.only_usage
            )
            self._signal(working.account_id, working.user_id, old, new, working.forced, working.row.last_at)
            touched[working.account_id] = None
        self._working.clear()
        for account_id in touched:
            self._contribute_account(account_id)
            self._to_say.setdefault(account_id, False)

    def _contribute(
        self, key: bytes, row: Row, account_id: str, user_id: str | None, only_usage: bool = False
    ) -> tuple[Contribution, Contribution]:
        before = self.sums.parts.get(key) if only_usage else None
        if before is not None:
            new = after_usage(row, before)
        else:
            new = contribution_of(row, account_id, user_id, self.world, self.now)
        old = self.sums.replace(key, new)
        if new.due is not None and new.due != old.due:
            heappush(self._due, (new.due, key))
        return old, new

    def _contribute_account(self, account_id: str) -> None:
        if self.world.plans and self.world.asks_accounts:
            due = self.sums.replace_account_unit(account_id, self.now)
            if due is not None:
                heappush(self._due, (due, b"U" + account_id.encode()))

    def _signal(
        self, account_id: str, user_id: str | None, old: Contribution, new: Contribution, forced: bool, at: int
    ) -> None:
        if user_id is None or (old.journeys == new.journeys and not forced):
            return
        before = {journey: standing for journey, _, standing in old.journeys}
        for journey, _, standing in new.journeys:
            if forced or before.get(journey) != standing:
                tasks = next(j.tasks for j in self.world.product.journey if j.id == journey)
                value = signal_message(account_id, user_id, journey, tasks, max(at, self.now), standing)
                self._outputs.append(Output("journey-signals", self.number, account_id.encode(), value))

    # -- time ----------------------------------------------------------------------------------------------------

    def _tick(self, topic: int, record: Record, tick: Tick) -> None:
        at = event_time(tick)
        wrong = at if isinstance(at, Refusal) else implausible(at, self._latest_plausible(record))
        if wrong is not None:
            return self._refuse(topic, record, wrong)
        self._check_clock(record)
        if isinstance(at, int) and at > self.row.ticks[topic]:
            self.row.ticks[topic] = at
            self._bookkept = True
            if min(self.row.ticks) > self.now:
                self._settle()
                self._advance_time(min(self.row.ticks))
        return None

    def _check_clock(self, record: Record) -> None:
        for name, value in record.headers or ():
            if name == CLOCK and value != self.clock.encode():
                raise WrongClock(
                    f"this worker runs with clock = {self.clock}, but the ticks on {SOURCES[0]} say {value.decode()}: "
                    f"start it with LIVELIFT_CLOCK={value.decode()}, or play recordings into another namespace"
                )

    def _advance_time(self, now: int) -> None:
        """Let time pass to `now`: rows that change by themselves are read again, days that are over are closed."""
        new_day = day_of(now) != day_of(self.now)
        self.now = now
        while self._due and self._due[0][0] <= now:
            _, key = heappop(self._due)
            if key[:1] == b"U":
                self._contribute_account(key[1:].decode())
            elif key in self.sums.parts:
                self._read_again(key)
        while start_of(self.row.closed_day + 2) + self.world.product.lateness <= now:
            self._close_next_day(now)
            new_day = True
        if new_day:
            for account_id in self.sums.accounts:
                self._to_say.setdefault(account_id, False)

    def _read_again(self, key: bytes) -> None:
        value = self._pending[key] if key in self._pending else self._stored(key)
        if value is not None:
            row, _ = ROWS.decode(value)
            account_id, user_id = owner_of(key)
            old, new = self._contribute(key, row, account_id, user_id)
            self._signal(account_id, user_id, old, new, False, self.now)

    def _close_next_day(self, now: int) -> None:
        """Close the next day that is over; long stretches in which no score can move are passed over at once."""
        last_over = day_of(now - self.world.product.lateness) - 1
        day = self.row.closed_day + 1
        if self.row.closed_day == NEVER or day > self._last_use() + WINDOW + WEEK:
            day = last_over
        for account_id, account in self.sums.accounts.items():
            score = score_of(inputs_of(account, day, self._regular))
            closes = with_close(account.closes, day, score)
            if closes is not account.closes:
                account.closes = closes
                working = self._load(account_id, None)
                working.row.closes = closes
        self._outputs.append(self._day_marker(day))
        self.row.closed_day = day
        self._settle()

    def _last_use(self) -> int:
        """The latest day on which any account used the product."""
        return max((account.last_day for account in self.sums.accounts.values()), default=NEVER)

    def _day_marker(self, day: int) -> Output:
        """Tells the learner that this partition has sent every example of a day."""
        value = encode({"marker": day, "partition": self.number})
        return Output("health-examples", 0, f"marker|{self.number}".encode(), value)

    # -- what is said --------------------------------------------------------------------------------------------

    def _say(self, account_id: str, forced: bool) -> None:
        """Send the account's score if what it says has moved since it was last sent."""
        account = self.sums.accounts.get(account_id)
        if account is None:
            return
        day = max(day_of(self.now), account.last_day)
        inputs = inputs_of(account, day, self._regular)
        score = score_of(inputs)
        close = account.closes[-1] if account.closes else None
        said = Said(
            score=score,
            band=band_of(score, close.band if close else None),
            close_score=close.score if close else None,
            close_band=close.band if close else None,
            change_7d=change_over(account.closes, self.row.closed_day, WEEK),
            mrr=latest_mrr(account),
        )
        if said == account.said and not forced:
            return
        account.said = said
        cause, causes = self._causes_of(account_id)
        week_ago = inputs_of(account, day - WEEK, self._regular)
        at = max(self.now, start_of(account.last_day))
        value = score_message(account_id, said, at, inputs, week_ago, cause, causes)
        self._outputs.append(Output("account-scores", self.number, account_id.encode(), value))

    def _causes_of(self, account_id: str) -> tuple[str, list[dict[str, str]]]:
        """What moved the score: the record that did last, and the latest events; or the passing of time."""
        events = self._causes.get(account_id)
        if not events:
            return f"tick/{self.now}", [{"type": "time passed"}]
        topic, offset, _ = events[-1]
        latest = [
            {"event": event.id, "type": str(event.__struct_config__.tag)} for _, _, event in events[-CAUSES_KEPT:]
        ]
        return f"{topic}/{self.number}/{offset}", latest

    def _effects(self) -> Effects:
        for account_id, forced in self._to_say.items():
            self._say(account_id, forced)
        self._send_partials()
        rows = sorted(self._pending.items(), key=lambda item: item[0][:1])  # closes (accounts) before users' rows
        partition_row = PARTITION_ROWS.encode(self.row, self._row_tail) if self._bookkept else None
        effects = Effects(self._outputs, dict(rows), partition_row)
        self._reset_batch()
        return effects

    def _send_partials(self) -> None:
        """This partition's share of every aggregate that changed, as absolute integers."""
        for kind, id_ in sorted(self.sums.changed):
            counts = self.sums.funnel[id_] if kind == "funnel" else self.sums.arms[id_]
            self._outputs.append(Output("partials", 0, partial_key(kind, id_, self.number), encode(counts)))
        self.sums.changed.clear()
        value = encode(self._bookkeeping())
        self._outputs.append(Output("partials", 0, partial_key("partition", "", self.number), value))

    def _bookkeeping(self) -> dict[str, Any]:
        row, sums = self.row, self.sums
        return {
            "time": self.now,
            "closed_day": row.closed_day,
            "offsets": dict(zip(SOURCES, row.offsets, strict=True)),
            "accounts": len(sums.accounts),
            "users": sums.users,
            "accepted": sums.accepted,
            "duplicates": sums.duplicates,
            "refused": row.refused,
            "ignored": row.ignored,
            "ignored_samples": row.ignored_samples,
            "late": row.late,
            "suppressed": row.suppressed,
        }


def fingerprint(account_id: str, user_id: str | None) -> bytes:
    """What is remembered of somebody who was forgotten: a 128-bit hash, not the name."""
    return xxhash.xxh3_128_digest(row_key(account_id, user_id))
