"""What an alerts process does while it holds its group's partitions: read, decide, write down, show, send; in this
order, so that nothing is lost or said twice.

A transition is in the `alerts` topic before Redis shows it and before the record that made it is acknowledged. That a
message is to be sent is written before it is sent, and that it was sent after: if the process dies in between, exactly
those messages are sent again, under the same keys.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from queue import Empty, Queue
from time import monotonic, time
from typing import Any

import msgspec
from kafka import TopicPartition

from consumers.alerts.board import Board
from consumers.alerts.channels import TIMEOUT_S, Job, Result, postmen
from consumers.alerts.config import Here
from consumers.alerts.directory import Directory
from consumers.alerts.forms import forms_of
from consumers.alerts.log import AlertLog
from models.alerts.alert import Alert, Refused, Source
from models.alerts.book import Book
from models.alerts.decide import Command, Engine, Heard, forgotten, of_command, of_time, without_rule
from models.alerts.delivery import failed, plan, sent
from models.alerts.evidence import COMMANDS, SCORES, SIGNALS, Score, decode_score, decode_signal, instant_of, whole
from models.alerts.notices import Notices, refused
from models.clock import SECOND

LIST_EVERY_S, PLAN_EVERY_S, SWEEP_EVERY_S = 5.0, 0.2, 3600.0
LONGEST_SENDING_S = TIMEOUT_S + 1.0
BOARD_EVERY_S = 1.0
"""Seconds after which a Redis that was emptied, or is back, is found without anything new to show."""
decode_command = msgspec.json.Decoder(Command).decode


class Duty:
    """All alerts, and the channels that tell of them. book: as the topic has them. results: what channels have to say;
    those of a former duty, too. alive: whether this process may still send."""

    def __init__(
        self,
        here: Here,
        book: Book,
        log: AlertLog,
        results: Queue[Result],
        alive: Callable[[], bool],
        wall: Callable[[], float] = time,
    ) -> None:
        self.here, self.book, self._log, self._results, self._wall = here, book, log, results, wall
        self.engine = Engine(here.rules)
        self._board = Board(here.redis_url, here.redis_prefix, [rule.id for rule in here.rules.rule], f"{time():.6f}")
        self.directory = Directory(self._board)
        self._notices = Notices(book, here.rules)
        self._changed: list[Alert] = []
        self._again: list[Alert] = []
        """Alerts on which somebody has acted: what could not be delivered may have to be sent again."""
        self._due: dict[str, float] = defaultdict(float)
        self._listed: frozenset[str] | None = None
        self._messages: dict[str, tuple[str, ...]] = {}
        """Message -> the alerts that it tells of."""
        self._reads_list = any(rule.when.on_capacity_list for rule in here.rules.rule)
        self._latest = max((alert.at for alert in book.by_id.values()), default=0)
        self._postmen = postmen(
            here.rules.channel, results, lambda message, channel: alive() and self._is_wanted(message, channel)
        )
        for postman in self._postmen.values():
            postman.start()
        for alert in without_rule(book.by_id.values(), here.rules, self.now):
            self._put(alert)
        self._flush()
        self._send(book.due.values())

    def stop(self) -> None:
        """Send nothing more but what is being sent."""
        for postman in self._postmen.values():
            postman.end()

    def end(self) -> None:
        """The same, and write down what has become of that. Raises NotStored."""
        self.stop()
        until = monotonic() + LONGEST_SENDING_S
        for postman in self._postmen.values():
            postman.join(max(0.0, until - monotonic()))
        self._take_results()
        self._flush()

    def _is_wanted(self, message: str, channel: str) -> bool:
        """Whether a message is still to be sent: what it tells of may be over. Asked by the channels' threads."""
        return any(
            (one.message, one.channel) == (message, channel) for alert in [*self.book.due.values()] for one in alert.due
        )

    @property
    def now(self) -> int:
        """The installation's clock: the wall's, or that of the recording that is played."""
        return int(self._wall() * SECOND) if self.here.clock == "live" else self._latest

    def begin(self, ends: Mapping[TopicPartition, int]) -> None:
        """The first start of all: what holds already is noted, up to where the topics end now."""
        self._put(self._notices.began({(one.topic, one.partition): end for one, end in ends.items()}, self.now))
        self._flush()

    # -- a step -----------------------------------------------------------------------------------------------------

    def step(self, records: Mapping[TopicPartition, list[Any]]) -> None:
        """Decide on what has come, write it down, show it, and send what is to be sent."""
        for where, fetched in records.items():
            self._take(where, fetched)
        results = self._take_results()
        self._put_all(of_time(list(self.book.snoozed.values()), self.now))
        if self._reads_list and self._is_due("list", LIST_EVERY_S):
            self._take_list()
        self._put_all(self._notices.due(self._wall(), self.now))
        planned = self._planned() if self.book.waiting and self._is_due("plan", PLAN_EVERY_S) else []
        self._flush()
        for result in results:
            result.known.set()
        again, self._again = self._again, []
        self._send([*again, *planned])
        if self._is_due("sweep", SWEEP_EVERY_S):
            self._board.drop(self.book.sweep(self.now))

    def _take_results(self) -> list[Result]:
        """What channels have said since the last step: it is put down on the alerts that the messages told of."""
        found: list[Result] = []
        while True:
            try:
                found.append(self._results.get_nowait())
            except Empty:
                return found
            self._delivered(found[-1])

    def _is_due(self, what: str, every: float) -> bool:
        now = monotonic()
        if now - self._due[what] < every:
            return False
        self._due[what] = now
        return True

    def _put(self, alert: Alert) -> None:
        self.book.put(alert)
        self._changed.append(alert)

    def _flush(self) -> None:
        """Everything that has changed: to the topic, then to Redis."""
        changed, self._changed = self._changed, []
        self._log.write(changed)
        if changed or self._is_due("board", BOARD_EVERY_S):
            self._board.show(self.book, changed, self.now)

    def _take(self, where: TopicPartition, records: list[Any]) -> None:
        topic = where.topic.removeprefix(self.here.namespace)
        take = {SCORES: self._score, SIGNALS: self._signal, COMMANDS: self._command}[topic]
        undecided = self.book.begins(topic, where.partition)
        begins = self._notices.begins_until(where.topic, where.partition)
        for record in records:
            if record.offset < undecided:
                continue  # decided on by a process that died before it could acknowledge it
            quietly = record.offset < begins
            if quietly:
                self._notices.begins(self._wall())
            take(record, Source(topic, where.partition, record.offset), quietly)

    # -- what comes -------------------------------------------------------------------------------------------------

    def _score(self, record: Any, source: Source, quietly: bool) -> None:
        if record.value is None:
            self._gone(record.key.decode())
            return
        score = decode_score(record.value)
        held = self.book.of_account.get(score.account_id)
        self.directory.take(score)
        if self.here.clock == "log":
            self._latest = max(self._latest, instant_of(score.at))
        if score.basis_changed:
            self._put_all(self._notices.basis_changed(score, self._wall(), self.now))
        if self._listed is not None:
            score = msgspec.structs.replace(score, listed=score.account_id in self._listed)
        if held or self.engine.concerns(score):
            self._decide(score, record.value, source, quietly)

    def _decide(self, score: Score, message: bytes, source: Source | None, quietly: bool) -> None:
        quietly = quietly or score.only_the_model_changed
        heard = Heard(whole(message), score.trait("owner"), score.score, quietly, source)
        self._put_all(self.engine.of_score(self.book.alerts_of(score.account_id), score, heard, self.now))

    def _signal(self, record: Any, source: Source, quietly: bool) -> None:
        if record.value is None:
            return  # the account's tombstone comes with its scores, too
        signal = decode_signal(record.value)
        if self.here.clock == "log" and not self._latest and signal.at:
            self._latest = instant_of(signal.at)  # nothing else has told the time yet
        account_id = signal.account_id
        held = self.book.alerts_of(account_id)
        if not held and signal.stuck_at is None:
            return
        who = self.directory.who(account_id)
        if who.left_out and not signal.forgotten:
            signal = msgspec.structs.replace(signal, left=True)
        message = {**whole(record.value), "traits": who.traits}
        heard = Heard(message, who.owner, None, quietly, source)
        self._put_all(self.engine.of_signal(held, signal, heard, self.now))

    def _command(self, record: Any, source: Source, _: bool) -> None:
        try:
            command = decode_command(record.value or b"")
        except msgspec.MsgspecError as error:
            self._put(refused(None, f"not a command: {error}", self.now, source))
            return
        found = of_command(self.book.by_id.get(command.alert_id), command, self.now)
        if isinstance(found, Refused):
            self._put(refused(command, found.because, self.now, source))
        else:
            self._put(msgspec.structs.replace(found, source=source))
            self._again.append(found)

    def _gone(self, account_id: str) -> None:
        """An account that is forgotten as a whole."""
        self.directory.forget(account_id)
        self._put_all([forgotten(alert, self.now) for alert in self.book.alerts_of(account_id).values()])

    def _take_list(self) -> None:
        """The capacity list, as far as it has changed since it was last read."""
        listed = self._board.listed()
        if listed is None or listed == self._listed:
            return
        before, self._listed = self._listed, listed
        moved = listed ^ before if before is not None else listed
        for account_id in sorted(moved):
            message = self._board.account(account_id)
            if message is not None:
                encoded = msgspec.json.encode(message)
                score = msgspec.structs.replace(decode_score(encoded), listed=account_id in listed)
                self._decide(score, encoded, None, self._notices.beginning)

    def _put_all(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self._put(alert)

    # -- what goes ----------------------------------------------------------------------------------------------------

    def _planned(self) -> list[Alert]:
        """What is to be told now."""
        now, wall = self.now, int(self._wall() * SECOND)
        in_doubt = {id_ for one in self._postmen.values() for id_ in self._messages.get(one.sending or "", ())}
        waiting = [alert for alert in self.book.waiting.values() if alert.id not in in_doubt]
        planned = plan(waiting, self.book.told(now), self.here.rules, self.here.capacity, now, wall)
        self._put_all(planned)
        return planned

    def _send(self, alerts: Iterable[Alert]) -> None:
        """Hand over what is due to the channels, each message once, however many alerts it tells of."""
        messages: dict[tuple[str, str], list[Alert]] = defaultdict(list)
        since: dict[tuple[str, str], int] = {}
        for alert in alerts:
            for one in alert.due:
                messages[one.message, one.channel].append(alert)
                since[one.message, one.channel] = one.since
        waiting = Counter(alert.owner for alert in self.book.waiting.values())
        for (message, channel), told in messages.items():
            postman = self._postmen.get(channel)
            if postman is not None:
                self._messages[message] = tuple(one.id for one in told)
                make = partial(forms_of, message, told, self.here.rules, waiting[told[0].owner])
                postman.take(Job(message, make, since[message, channel]))

    def _delivered(self, result: Result) -> None:
        """A channel has taken a message, or has not. What it told of may be over by now, and was told all the same."""
        for id_ in self._messages.get(result.key, ()):
            alert = self.book.by_id.get(id_)
            if alert is None:
                continue
            mine = [one for one in alert.deliveries if (one.message, one.channel) == (result.key, result.channel)]
            states = {one.state for one in mine}
            if result.error is None and states & {"due", "dropped"}:
                self._put(sent(alert, result.key, result.channel, self.now, result.at))
            elif result.error is not None and "due" in states:
                self._put(failed(alert, result.key, result.channel, result.error, result.at))
