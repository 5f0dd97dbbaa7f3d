"""The way of an event, on one page: decode, place, advance the row, settle the sums, say what moved.

A `Partition` is one worker's hold on one Kafka partition of the three source topics. It takes whole batches and gives
back `Effects`: what to send and which rows to write. It never does either itself, and it never asks what time it is;
time is what the ticks say. The same object runs live, in replay and in the tests.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import xxhash

from models.basis import HEURISTIC
from models.bookkeeping import Bookkeeping
from models.clock import DAY, day_of
from models.days import Days
from models.decode import Decode, Ignored, Refusal, event_time, implausible
from models.events import Event, Forget, Tick
from models.forgetting import FORGOTTEN, FORGOTTEN_KEY, Forgotten
from models.health.example import waiting_days
from models.health.known import Known
from models.ledger import Ledger, Moved
from models.messages import Output, encode, partial_key
from models.record import CLOCK, Record, latest_plausible, position
from models.refused import dead_letter, sent_on, untrue
from models.rows import PARTITION_KEY, SNAPSHOT_KEY, Row, owner_of, snapshot_day
from models.scores import PASSING_OF_TIME, Cause, read, score_message, words_differ
from models.signals import forgotten_signal, signals_of
from models.working import ROWS, Happening
from models.world import World

AHEAD = 2 * DAY
"""How far a source topic may run ahead of the slowest one in event time; a backlog is read in step (decision 0005)."""
OTHER_CLOCK = {"live": "log", "log": "live"}


class Effects(NamedTuple):
    """What the shell is asked to do: send the outputs and write the rows, then the partition row, then acknowledge."""

    outputs: list[Output]
    rows: dict[bytes, bytes | None]
    partition_row: bytes | None

    def keep(self, rows: dict[bytes, bytes]) -> None:
        """Put the users' and accounts' rows in place, where rows are kept in a dict."""
        for key, value in self.rows.items():
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value


class WrongClock(Exception):
    """A tick of the other clock: this worker was started for live events and meets a recording, or the reverse."""


class Partition:
    """One partition's rows, sums and clock.

    number: which one. stored: reads a row's bytes by key. place: account id to its partition.
    clock: `live` or `log`; ticks of the other kind raise WrongClock. known: the models that scores rest on.
    """

    def __init__(
        self,
        number: int,
        world: World,
        stored: Callable[[bytes], bytes | None],
        place: Callable[[str], int],
        clock: str = "log",
        known: Known | None = None,
    ) -> None:
        self.number, self.world, self.clock = number, world, clock
        self.known = Known(world.product) if known is None else known
        self.ledger = Ledger(world, stored)
        self.book = Bookkeeping()
        self.forgotten = Forgotten()
        self._place, self._recorded = place, clock == "log"
        self._decode = Decode(world.product.people_are_accounts)
        self._tasks = world.product.tasks
        self._shared: bytes | None = None
        """This partition's part of `quality`, as last sent."""
        self.days = Days(number, world.product, self.ledger, self.book, self.known, self._send)
        self._begin()

    def _begin(self) -> None:
        """Begin a step: what is processed until its effects are asked for."""
        self._outputs: list[Output] = []
        self._causes: dict[str, Cause] = {}
        """Account -> what came for it in this step."""
        self._closed = False
        """Whether a day has been closed in this step."""
        self.interrupted = False
        """Whether the step has to be carried out before the next record may be taken."""

    def _send(self, output: Output) -> None:
        self._outputs.append(output)

    # -- on assignment -------------------------------------------------------------------------------------------

    def rebuild(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up what is stored of this partition, and derive everything else. The next effects tell it."""
        stored = list(items)
        for key, value in stored:
            if key.startswith(PARTITION_KEY):
                self.book.load(value)
            elif key.startswith(FORGOTTEN_KEY):
                self.forgotten.load(key)
        self.ledger.rebuild(self._rows(stored), self.book.now)
        waiting = waiting_days(self.book.row.closed_day, self.world.product)
        for key, _ in stored:
            if key.startswith(SNAPSHOT_KEY) and snapshot_day(key) < waiting.start:
                self.ledger.pending[key] = None  # its example was the last thing that the former owner did

    def with_plans(self, world: World, items: Iterable[tuple[bytes, bytes]]) -> Effects:
        """Read the rows against other plans; the new sums are sent as soon as they are known."""
        self.world = self.ledger.world = world
        self.ledger.rebuild(self._rows(items), self.book.now)
        return self.effects()

    def _rows(self, items: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, Row]]:
        """The users' and accounts' rows among what is stored, except those of somebody who has been forgotten."""
        for key, value in items:
            if key.startswith((PARTITION_KEY, FORGOTTEN_KEY)):
                continue
            if self.forgotten and owner_of(key) in self.forgotten:
                self.ledger.pending[key] = None  # the last write of a paused worker, come after the removal
                continue
            if key.startswith(SNAPSHOT_KEY):
                continue
            row, _ = ROWS.decode(value)
            self.book.reach(row.offsets)
            yield key, row

    # -- a batch -------------------------------------------------------------------------------------------------

    def may_take(self, topic: int) -> bool:
        """Whether a topic may be read on: its clock is not more than AHEAD before the slowest of the others."""
        return not self.book.ahead(topic, AHEAD)

    def process(self, topic: int, records: Sequence[Record]) -> int:
        """Take a batch of one source topic (by index), in offset order, or as much of it as may be taken now.

        Returns how many records were taken. What follows from them waits for `effects`.
        """
        taken, decode = 0, self._decode
        if not self.days_are_over():
            return 0
        for record in records:
            decoded = decode(topic, record.value, record.headers)
            if isinstance(decoded, Event):
                at = event_time(decoded)
                if self._closed and self._would_change_a_close(decoded, at):
                    self.interrupted = True
                    break
                self._event(topic, record, decoded, at)
            elif isinstance(decoded, Tick):
                self._tick(topic, record, decoded)
                if not self.days_are_over():
                    break
                if not self.may_take(topic):
                    taken += 1
                    break
            elif isinstance(decoded, Refusal):
                self._refuse(topic, record, decoded)
            else:
                self._ignore(topic, record, decoded)
            taken += 1
        if taken:
            self.book.through(topic, records[taken - 1].offset)
        return taken

    @property
    def waiting(self) -> bool:
        """Whether nothing more may be taken until what is known has been learned (`Days.waiting`)."""
        return self.days.waiting

    def days_are_over(self) -> bool:
        """Do a slice of what there is to do for days that are over; whether nothing is left of it. If so, the next
        record may be taken in this step, else in a later one."""
        if self.waiting:
            return False
        if self.days.unfinished:
            self._closed = True
            if not self.days.go_on():
                self.interrupted = not self.waiting
                return False
        return True

    def effects(self) -> Effects:
        """What everything processed since the last call asks the shell to do; afterwards it counts as stored."""
        self._settle()
        self._say_scores()
        self._send_partials()
        # What the clock says is stored when all that follows from it has been: else a day might never be closed.
        book = None if self.days.unfinished else self.book.taken()
        effects = Effects(self._outputs, self.ledger.taken(), book)
        self.days.sent()
        self._begin()
        return effects

    def _event(self, topic: int, record: Record, event: Event, at: int | Refusal) -> None:
        account_id, user_id = event.account_id, event.user_id
        if account_id not in self.ledger.sums.accounts and self._place(account_id) != self.number:
            return self._forward(topic, record, account_id)
        if isinstance(at, Refusal):
            return self._refuse(topic, record, at)
        wrong = untrue(event, at, latest_plausible(record, self._recorded), self._tasks)
        if wrong is not None:
            return self._refuse(topic, record, wrong)
        if event.__class__ is Forget:
            return self._forget(account_id, user_id)
        if self.forgotten and (account_id, user_id) in self.forgotten:
            return self.book.suppressed(topic, record.offset)
        working, offset = self.ledger.row_of(account_id, user_id), record.offset
        digest = xxhash.xxh3_64_digest(event.id.encode())
        if offset <= working.row.offsets[topic]:
            working.again.append(Happening(topic, offset, digest, at, event))
        elif working.repeats(digest):
            return working.repeated(topic, offset)
        else:
            try:
                working.apply(Happening(topic, offset, digest, at, event))
            except Exception as error:  # a fault of ours: its neighbours must not pay for it, and it must be seen
                return self._refuse(topic, record, Refusal("internal_error", type(error).__name__))
        if at < self.book.open_from:
            self.book.late(topic, offset)
        return None

    def _would_change_a_close(self, event: Event, at: int | Refusal) -> bool:
        """Whether an event is late or forgets somebody, in a step in which a day was closed.

        It has to wait for the next step: should the process die while this one is being stored, the day is closed
        again from the rows that are there, and those must not hold what came behind the closing tick.
        """
        return event.__class__ is Forget or (isinstance(at, int) and at < self.book.open_from)

    # -- what is not accepted ------------------------------------------------------------------------------------

    def _refuse(self, topic: int, record: Record, refusal: Refusal) -> None:
        self._outputs.append(dead_letter(topic, self.number, record, refusal))
        self.book.refused(topic, record.offset, refusal.reason)

    def _ignore(self, topic: int, record: Record, ignored: Ignored) -> None:
        sample = position(topic, self.number, record.offset)
        self.book.ignored(topic, record.offset, ignored.name, sample)

    def _forward(self, topic: int, record: Record, account_id: str) -> None:
        found = sent_on(topic, self.number, record, account_id, self._place(account_id))
        if isinstance(found, Refusal):
            return self._refuse(topic, record, found)
        self._outputs.append(found)
        return self.book.forwarded(topic, record.offset)

    def _forget(self, account_id: str, user_id: str | None) -> None:
        """Remove a user's or a whole account's rows and contributions, and keep out what is sent again."""
        self._settle()
        whole = user_id is None or self.world.product.people_are_accounts
        for name in {user_id, None} if whole else {user_id}:
            self.ledger.pending[self.forgotten.add(account_id, name)] = FORGOTTEN
        self.ledger.remove(account_id, None if whole else user_id)
        account = self.ledger.sums.accounts.get(account_id)
        if account is not None and not account.began:  # nothing is left of it but what its days closed with
            self.ledger.remove(account_id, None)
            account = None
        if account is None:
            for day in waiting_days(self.book.row.closed_day, self.world.product):
                if self.ledger.snapshot(account_id, day) is not None:
                    self.ledger.keep_snapshot(account_id, day, None)
        self._causes.pop(account_id, None)
        key = account_id.encode()
        if user_id is not None and account is not None:
            account.said = None  # the causes that were told may name events of theirs
            self.ledger.sums.moved[account_id] = None
            self._outputs.append(Output("journey-signals", self.number, key, forgotten_signal(account_id, user_id)))
        else:  # nobody is left of the account
            self._outputs += [Output(topic, self.number, key, None) for topic in ("account-scores", "journey-signals")]

    # -- time ----------------------------------------------------------------------------------------------------

    def _tick(self, topic: int, record: Record, tick: Tick) -> None:
        at = event_time(tick)
        if isinstance(at, Refusal):
            return self._refuse(topic, record, at)
        wrong = implausible(at, latest_plausible(record, self._recorded))
        if wrong is not None:
            return self._refuse(topic, record, wrong)
        self._check_clock(topic, record)
        self.book.tick(topic, at)
        if self.book.now > self.ledger.now:
            self._pass_time(self.book.now)
        return None

    def _check_clock(self, topic: int, record: Record) -> None:
        other = OTHER_CLOCK[self.clock]
        for name, value in record.headers or ():
            if name == CLOCK and value == other.encode():
                where = position(topic, self.number, record.offset)
                raise WrongClock(
                    f"this worker runs with clock = {self.clock}, but the tick at {where} says {other}: "
                    f"start it with LIVELIFT_CLOCK={other}, or play recordings into another namespace"
                )

    def _pass_time(self, now: int) -> None:
        """Let time pass: rows that change by themselves are read again, days that are over are closed."""
        new_day = day_of(now) != day_of(self.ledger.now)
        over = day_of(now - self.world.product.lateness) - 1
        for moved in self.ledger.pass_time(now):
            self._signal(moved)
        if over > self.book.row.closed_day or new_day:
            self._settle()
            self.days.begin(over)

    # -- what is said --------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        for moved in self.ledger.settle():
            self._signal(moved)
            working = moved.working
            if working is not None and (working.applied or working.again):
                cause = self._causes.get(moved.account_id)
                if cause is None:
                    cause = self._causes[moved.account_id] = Cause()
                cause.add(working)

    def _signal(self, moved: Moved) -> None:
        was, now = moved.old.journeys, moved.new.journeys
        if moved.forced or (was is not now and was != now):
            key = moved.account_id.encode()
            self._outputs += [
                Output("journey-signals", self.number, key, value)
                for value in signals_of(moved, self.world.tasks, self.book.now)
            ]

    def _say_scores(self) -> None:
        """Send the score of every account of which something else is to be said than last time."""
        sums = self.ledger.sums
        moved, dated, sums.moved, sums.dated = sums.moved, sums.dated, {}, {}
        again = {account_id: None for account_id, cause in self._causes.items() if cause.again}
        basis, product = self.known.before(self.book.row.closed_day), self.world.product
        if basis.kind != HEURISTIC:
            moved |= dict.fromkeys(dated)
        else:
            worded = (account_id for account_id, shown in dated.items() if shown and account_id in sums.accounts)
            moved |= {one: None for one in worded if words_differ(sums.accounts[one], self.book.now)}
        for account_id in {**moved, **again}:
            account = sums.accounts.get(account_id)
            if account is None:
                continue
            reading = read(account, self.book.now, self.book.row.closed_day, basis, product)
            if reading.said != account.said or account_id in again:
                cause = self._causes.get(account_id, PASSING_OF_TIME)
                value = score_message(account_id, account, reading, cause, basis, product)
                account.said = reading.said
                self._outputs.append(Output("account-scores", self.number, account_id.encode(), value))

    def _send_partials(self) -> None:
        """This partition's share of every aggregate that changed, as absolute integers."""
        sums = self.ledger.sums
        changed, sums.changed = sums.changed, set()
        for kind, id_ in sorted(changed):
            value = encode(sums.funnel[id_] if kind == "funnel" else sums.tally(id_).share())
            self._outputs.append(Output("partials", 0, partial_key(kind, id_, self.number), value))
        taught, sums.education.changed = sums.education.changed, set()
        for id_ in sorted(taught):
            counts = sums.education.share(id_)
            if counts is not None:
                self._outputs.append(Output("partials", 0, partial_key("education", id_, self.number), encode(counts)))
        if sums.authenticity.changed:
            sums.authenticity.changed = False
            value = encode(sums.authenticity.share())
            self._outputs.append(Output("partials", 0, partial_key("authenticity", "", self.number), value))
        plans = sorted(published.fingerprint for published in self.world.plans.values())
        share = encode({**self.book.share(), **sums.totals(), "plans": plans})
        if share != self._shared:
            self._shared = share
            self._outputs.append(Output("partials", 0, partial_key("partition", "", self.number), share))
