"""What Redis shows of alerts is what the book says, after each step as after everything was written anew: in a real
Redis, as the user that `livelift alerts acl` prints, and in the dict that other tests use."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import redis

from consumers.alerts.board import FILLED, Board
from livelift.alerting import ACL
from models.alerts.alert import Delivery, Refused, Source
from models.alerts.book import Book
from models.alerts.decide import Command, forgotten, of_command
from models.alerts.notices import refused
from models.clock import DAY
from models.keys import ALERT_RULES, ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS, REFUSED_COMMANDS
from tests.support.alerting import AT_RISK, CHANNEL, Desk, score, signal
from tests.support.redis_held import Held

pytestmark = pytest.mark.contract
RULES_GIVEN = AT_RISK + '[[rule]]\nid = "stuck"\nwhen = { stuck = {} }\n' + CHANNEL
ACCOUNTS_GIVEN = "acme", "beta:1", "%3A", "株式会社"
Read = Callable[[str], Any]
"""A key of Redis -> a value, or a hash by field; None where there is none."""


@pytest.fixture(params=["a dict", "Redis"])
def store(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Read]]:
    """Redis' client, and how what it holds is read."""
    if request.param == "a dict":
        held = Held()
        yield held, held.snapshot
        return
    services, user = request.getfixturevalue("services"), f"u{uuid4().hex[:8]}"
    admin = redis.Redis.from_url(services.redis)
    admin.execute_command("ACL", "SETUSER", *ACL.format(user=user, password="pw", prefix=f"{user}:").split()[1:])
    client = redis.Redis.from_url(services.redis.replace("redis://", f"redis://{user}:pw@"))

    def read(key: str) -> Any:
        if admin.type(f"{user}:{key}") == b"hash":
            fields = admin.hgetall(f"{user}:{key}")
            return {field.decode(): msgspec.json.decode(value) for field, value in fields.items()}
        value = admin.get(f"{user}:{key}")
        return None if value is None else msgspec.json.decode(value)

    yield Prefixed(client, f"{user}:"), read
    for name in admin.scan_iter(f"{user}:*"):
        admin.delete(name)
    admin.execute_command("ACL", "DELUSER", user)


class Prefixed:
    """A client and the prefix that the board is to use with it."""

    def __init__(self, client: Any, prefix: str) -> None:
        self.client, self.prefix = client, prefix


def board_over(store: Any, epoch: str) -> Board:
    prefix, client = (store.prefix, store.client) if isinstance(store, Prefixed) else ("", store)
    board = Board("redis://127.0.0.1:1", prefix, ["at-risk"], epoch)
    board._client = client
    return board


def told_by(book: Book) -> dict[str, Any]:
    """What Redis is to show, from all that the book holds: ids by hash, by account, and the commands refused."""
    alerts = book.by_id.values()
    closed = {one.id for one in alerts if one.state == "closed"}
    unsent = {one.id for one in alerts if any(d.state == "undeliverable" for d in one.deliveries)}
    opened = {one.id for one in alerts if one.active} | unsent - closed
    accounts: dict[str, set[str]] = {}
    for one in alerts:
        if one.id in opened | closed and one.account_id:
            accounts.setdefault(one.account_id, set()).add(one.id)
    return {OPEN_ALERTS: opened, CLOSED_ALERTS: closed, ALERTS_OF_ACCOUNTS: accounts,
            REFUSED_COMMANDS: [one.because for one in reversed(book.refused.values())]}  # fmt: skip


def shown_in(read: Read) -> dict[str, Any]:
    return {
        OPEN_ALERTS: set(read(OPEN_ALERTS) or {}), CLOSED_ALERTS: set(read(CLOSED_ALERTS) or {}),
        ALERTS_OF_ACCOUNTS: {account: set(ids) for account, ids in (read(ALERTS_OF_ACCOUNTS) or {}).items()},
        REFUSED_COMMANDS: [one["because"] for one in read(REFUSED_COMMANDS)["refused"]],
    }  # fmt: skip


def moved(desk: Desk, luck: Random, step: int) -> None:
    """Something happens to one account, or somebody does something with one alert."""
    account = luck.choice(ACCOUNTS_GIVEN)
    alerts = [*desk.book.by_id.values()]
    match luck.choice(
        ["score", "score", "signal", "signal", "command", "command", "command", "forget", "lost", "time"]
    ):
        case "score":
            desk.take(score(luck.uniform(0, 100), account=account))
        case "signal":
            desk.take(signal(luck.choice(["ann", "ben"]), luck.choice(["1", "2", None]), account=account))
        case "command":
            do = luck.choice(["acknowledge", "snooze", "resolve", "resolve", "reopen", "retry"])
            alert = luck.choice(alerts) if alerts else None
            asked = Command(alert_id="x" if alert is None else alert.id, account_id=account, do=do, by="olga",
                            at=desk.now, until=desk.now + DAY, verdict="useful")  # fmt: skip
            found = of_command(alert, asked, desk.now)
            source = Source("alert-commands", 0, step)
            desk._put([refused(asked, f"{step}", desk.now, source) if isinstance(found, Refused) else found])
        case "forget" if luck.random() < 0.3:
            desk._put(forgotten(one, desk.now) for one in [*desk.book.alerts_of(account).values()])
        case "lost" if alerts:
            one = luck.choice(alerts)
            if one.transition != "forgotten":
                lost = Delivery("chat", f"m{step}", "undeliverable")
                desk._put([msgspec.structs.replace(one, deliveries=(lost,), transition="given up")])
        case _:
            desk.after(hours=luck.uniform(1, 30))


@pytest.mark.parametrize("seed", range(3))
def test_redis_shows_what_the_book_says_after_each_step_and_when_it_is_written_anew(store, seed):
    client, read = store
    desk, board, luck, seen = Desk(RULES_GIVEN), board_over(client, "1"), Random(seed), 0
    ever = set[str]()
    for step in range(150):
        moved(desk, luck, step)
        if luck.random() < 0.7:  # else several things change before they are shown
            changed, seen = desk.transitions[seen:], len(desk.transitions)
            board.show(desk.book, changed, desk.now)
            shown = shown_in(read)
            assert shown == told_by(desk.book), step
            ever |= {key for key, held in shown.items() if held}
    board.show(desk.book, desk.transitions[seen:], desk.now)
    rules = read(ALERT_RULES)
    assert (rules["open"], rules["closed"]) == (len(read(OPEN_ALERTS) or {}), len(read(CLOSED_ALERTS) or {}))
    assert ever == {OPEN_ALERTS, CLOSED_ALERTS, ALERTS_OF_ACCOUNTS, REFUSED_COMMANDS}, (
        "it has seen something of everything"
    )
    before = {key: read(key) or {} for key in (OPEN_ALERTS, CLOSED_ALERTS, REFUSED_COMMANDS)}
    again = Book()
    for alert in desk.transitions:
        again.put(alert)
    board_over(client, "2").show(again, [], desk.now)
    assert shown_in(read) == told_by(again) == told_by(desk.book)
    assert [without_time(read(key) or {}) for key in before] == [without_time(value) for value in before.values()]
    assert read(FILLED) == 2


def without_time(held: Any) -> Any:
    """Each snapshot without the moment at which it was written."""
    if "alert_id" in held or "refused" in held:
        return {key: value for key, value in held.items() if key != "as_of"}
    return {field: without_time(value) for field, value in held.items()}
