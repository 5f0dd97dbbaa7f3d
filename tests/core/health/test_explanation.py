"""What changed a score between two closes: causes that add up exactly, each traced to the events behind it."""

import re
from functools import cache
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import DAY
from models.health.calibration import Calibration
from models.health.champion import Version
from models.health.classifier import fresh
from models.health.explanation import Explanation, Unexplained, date, events_of, explain, input_named, told
from models.health.history import History
from models.health.known import Known
from models.health.listed import INPUTS
from models.health.records import CHAMPION_KEY, Promotion, packed, version_key
from models.messages import encode
from models.product import Actions, Product
from models.rows import NEVER, Close
from tests.core.generated import hours, one_event
from tests.support.build import FIRST_DAY, T0, Json, checked, event, instant, records
from tests.support.readme import ROOT

pytestmark = pytest.mark.core

PRODUCT = Product(actions=Actions(key=("core_action:board",)))
SINCE, DAYS = 20, 40
Logs = st.lists(one_event(hours(T0, T0 + (DAYS + 3) * DAY)), min_size=1, max_size=40)


@cache
def version(day: int, seed: int = 1, enough: bool = True) -> bytes:
    """A version learned from made-up accounts: every input is worth something to it, up or down."""
    model, chance = fresh("logistic", {}), Random(seed)
    names = [one.name for one in INPUTS if "*" not in one.name] + ["usage:board", "usage_trend:report"]
    for _ in range(600):
        features = {name: chance.uniform(0, 12) for name in names}
        model.learn(features, sum(features[name] for name in names[::2]) > sum(features[name] for name in names[1::2]))
    labels = Calibration(0.0, 0.2, 50, 50) if enough else Calibration()
    return packed(Version("logistic", FIRST_DAY + day, model.state(), labels, False, -1.0, 50, 50))


def known(*versions: tuple[int, int], enough: bool = True) -> Known:
    """Versions by day and what they have learned from."""
    found = Known(PRODUCT)
    for day, seed in versions:
        found.take(version_key("logistic", FIRST_DAY + day), version(day, seed, enough))
    return found


INDEX, ONE, TWO = known(), known((0, 1)), known((0, 1), (SINCE + 5, 4))


def of(log: list[Json], since: int = SINCE, day: int = DAYS, account: str = "acme") -> History:
    history = History(account, PRODUCT, FIRST_DAY + since, FIRST_DAY + day, recorded=True)
    for topic, record in records(log):
        history.take(topic, record)
    return history


def explained(log: list[Json], given: Known = ONE, since: int = SINCE, day: int = DAYS) -> Explanation:
    return explain(of(log, since, day), given, FIRST_DAY + since, FIRST_DAY + day)


LONG_AGO = event("session_started", instant(1), id="long ago")


@pytest.mark.parametrize("given_", [INDEX, ONE, TWO], ids=["index", "model", "two versions"])
@given(log=Logs)
@checked(60)
def test_the_causes_add_up_to_the_change_and_the_drivers_to_the_score(given_: Known, log: list[Json]) -> None:
    found = explained([LONG_AGO, *log], given_)
    change = found.change
    assert change is not None
    before = of([LONG_AGO, *log], day=SINCE).after.account
    assert before is not None
    assert change.before == given_.before(FIRST_DAY + SINCE).judge(before, FIRST_DAY + SINCE).score
    assert change.before + change.points == found.judged.score
    assert sum(one.contribution for one in found.drivers) == found.judged.score - found.basis.baseline
    assert (change.model == 0) or given_ is TWO


@given(Logs)
@checked(100)
def test_whatever_an_event_has_changed_is_traced_to_an_event(log: list[Json]) -> None:
    """Every input that is not as it would be had nothing happened, whether or not a model makes anything of it."""
    history = of([LONG_AGO, *log])
    before, after = history.before.account, history.after.account
    assert before is not None and after is not None
    came, firsts = history.came(), history.firsts()
    for given_ in (ONE, INDEX):
        basis = given_.before(FIRST_DAY + DAYS)
        idle, now = (basis.judge(account, FIRST_DAY + DAYS).inputs for account in (before, after))
        for name in idle.keys() | now.keys():
            if idle.get(name) != now.get(name):
                assert events_of(input_named(basis, name), came, firsts), name


@given(Logs)
@checked(40)
def test_where_nothing_has_come_only_time_has_passed(log: list[Json]) -> None:
    quiet = [one for one in log if one["at"] < "2026-05-26" or one["at"] >= "2026-06-15"]
    for given_ in (INDEX, ONE):
        change = explained([LONG_AGO, *quiet], given_).change
        assert change is not None
        assert (change.model, change.events) == (0, [])
        assert change.points == sum(one.points for one in change.time)


def test_a_visit_long_ago_is_longer_ago_with_every_day() -> None:
    change = explained([event("session_started", instant(15))], INDEX).change
    assert change is not None
    recency = next(one for one in change.time if one.feature == "recency")
    assert (recency.points, recency.before, recency.after) == (-2500, 1 - 5 / 28, 1 - 25 / 28)


def test_where_only_the_version_is_another_only_the_model_has_changed() -> None:
    """On the same day: nothing else can have happened. Learned in between, with a day on which nothing ages."""
    log = [event("session_started", instant(1))]
    history = of(log, SINCE, SINCE)
    old, new = (known((0, seed)).before(FIRST_DAY + SINCE) for seed in (1, 4))
    account = history.after.account
    assert account is not None
    scores = [basis.judge(account, FIRST_DAY + SINCE).score for basis in (old, new)]
    assert scores[0] != scores[1]
    change = explained(log, TWO).change
    assert change is not None and change.model == scores[1] - scores[0] and change.events == []
    assert change.basis == old.name


def test_an_input_names_the_events_that_tell_of_it() -> None:
    log = [
        *(event("session_started", instant(day), user=user) for day in (1, 19) for user in ("ann", "bob")),
        event("member_removed", instant(39), user="bob", id="out"),
        *(event("ticket_opened", instant(day), id=f"ticket {day}", ticket="1") for day in (30, 33, 36, 38)),
        event("lesson_started", instant(38), user="cleo", id="in", lesson="x"),
    ]  # fmt: skip
    change = explained(log).change
    assert change is not None
    traced = {one.feature: one.events for one in change.events}
    tickets = traced["tickets"]["ticket_opened"]
    assert (tickets.count, [one.id for one in tickets.latest]) == (4, ["ticket 38", "ticket 36", "ticket 33"])
    assert traced["left"].keys() == {"member_removed", "lesson_started, a user's first"}
    assert [one.id for one in traced["left"]["member_removed"].latest] == ["out"]


def test_it_is_said_why_a_change_cannot_be_told() -> None:
    log = [event("session_started", instant(30))]
    young = explained(log)
    assert (young.change, young.because) == (None, "the account had no events by the end of 2026-05-25")
    assert young.was == {} and young.judged.score
    turned = explained([LONG_AGO, *log], known((SINCE + 5, 1)))
    assert turned.because == "what 2026-05-25 was closed with is not kept any more: choose 2026-05-31 or a later day"
    first = known((0, 1), enough=False)
    first.take(version_key("logistic", FIRST_DAY + SINCE + 5), version(SINCE + 5))
    other = explained([LONG_AGO, *log], first)
    assert other.because == (
        f"2026-05-25 was closed with a score of another kind (heuristic, now logistic@{FIRST_DAY + SINCE + 5})"
    )
    assert told(other)["change"] is None and told(other)["change_because"] == other.because
    assert "because" not in told(other) and "activity index" in told(explained([LONG_AGO], INDEX))["because"]


@pytest.mark.parametrize(
    ("log", "versions", "said"),
    [
        ([], (), "no event of account 'acme' has come: is the id written as in `account_id`?"),
        ([event("session_started", instant(41))], (),
         "account 'acme' has no score at the end of 2026-06-14: its first event is of 2026-06-15"),
        ([LONG_AGO, event("forget", instant(5), user=None)], (), "account 'acme' is to be forgotten: nothing is kept of it"),
        ([LONG_AGO, event("forget", instant(5))], (), "everybody in account 'acme' is to be forgotten: nothing is kept of it"),
        ([LONG_AGO], ((DAYS, 1),), "what 2026-06-14 was closed with is not kept any more: choose 2026-06-15 or a later day"),
    ],
    ids=["unknown", "later", "forgotten", "all forgotten", "let go"],
)  # fmt: skip
def test_it_is_said_why_there_is_nothing_to_explain(
    log: list[Json], versions: tuple[tuple[int, int], ...], said: str
) -> None:
    with pytest.raises(Unexplained) as raised:
        explained(log, known(*versions))
    assert str(raised.value) == said


def test_it_is_known_from_when_on_it_is_known_what_days_were_closed_with() -> None:
    """A first version never scores, so one that does and is the oldest was not the first."""
    assert [one.kept_from(FIRST_DAY) for one in (INDEX, known((0, 1), enough=False))] == [NEVER, NEVER]
    given_ = known((0, 1), (7, 1))
    assert given_.kept_from(FIRST_DAY) == FIRST_DAY + 1
    given_.take(version_key("logistic", FIRST_DAY), None)
    assert given_.kept_from(FIRST_DAY) == FIRST_DAY + 8
    promoted = Promotion("bayes", FIRST_DAY + 20, "ann", "2026-05-20T12:00:00Z")
    given_.take(CHAMPION_KEY, encode((promoted,)))
    assert given_.kept_from(FIRST_DAY + 19) == FIRST_DAY + 8
    assert given_.kept_from(FIRST_DAY + 20) == NEVER, "of another model nothing has been let go"


def test_a_close_that_says_otherwise_is_told_beside_it() -> None:
    found = explained([LONG_AGO])
    assert not found.otherwise_closed
    same = Close(FIRST_DAY + DAYS, found.judged.score, "watch", "logistic")
    assert not found._replace(closed=same).otherwise_closed
    other = msgspec.structs.replace(same, score=same.score + 1)
    assert found._replace(closed=other).otherwise_closed
    assert told(found._replace(closed=other))["closed"] == {"score": other.score / 100, "band": "watch"}


@given(Logs)
@checked(30)
def test_as_data_it_adds_up_as_well(log: list[Json]) -> None:
    found = told(explained([LONG_AGO, *log], TWO))
    change = msgspec.json.decode(msgspec.json.encode(found))["change"]
    assert change["before"] + change["points"] == pytest.approx(found["score"])
    assert sum(cause["points"] for cause in change["causes"]) == pytest.approx(change["points"])
    assert [cause["cause"] for cause in change["causes"]] == ["model changed", "time passed", "events"]
    for cause in change["causes"][1:]:
        assert sum(one["points"] for one in cause["inputs"]) == pytest.approx(cause["points"])
    assert found["day"] == date(FIRST_DAY + DAYS) == "2026-06-14"


def test_the_guide_lists_every_field() -> None:
    log = [LONG_AGO, event("session_started", instant(30))]
    data = [told(explained(log, INDEX)), told(explained(log[1:]))]
    guide = (ROOT / "docs/guides/health-scores.md").read_text().partition("## What has changed a score")[2]
    table = guide.partition("\n## ")[0]
    listed = {name for row in re.findall(r"^\| (.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert {"because", "change_because"} < {name for one in data for name in one} <= listed
    inner = {"causes", "inputs", "events"}
    assert listed - {name for one in data for name in one} == inner
    driver, change = data[0]["drivers"][0], data[0]["change"]
    events = change["causes"][2]["inputs"][0]["events"][0]
    for fields in (driver, change, *change["causes"], change["causes"][2]["inputs"][0], events, events["latest"][0]):
        assert all(f"`{name}`" in table for name in fields), fields
