"""What is known of an account at the end of a day: from the events up to that day only, and as a count over them says."""

from collections.abc import Callable, Iterable
from datetime import datetime
from math import isfinite, log1p
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account import Account, regular_mask
from models.clock import day_of, micros
from models.events import HOME
from models.health.features import Features, features_of
from models.health.inputs import chosen_of, is_chosen
from models.health.listed import INPUTS, input_of
from models.product import Actions
from models.world import World
from tests.core.generated import KINDS, WITHOUT_PERSON, one_event
from tests.support.build import FIRST_DAY, Json, Worker, checked, event, instant, rebuilt, sums_of, world

pytestmark = pytest.mark.core

AHEAD = 8
"""Days that rows may be ahead of the day that is read without any part in it; the sources are read within two."""
VISITS = frozenset({"session_started", "task_started", "task_completed", "task_failed", "feature_configured"})


OFTEN_ENOUGH = 2
"""Days of visits in four weeks from which a user counts as regular here."""
SOMETIMES = world(actions=Actions(regular_days_per_week=OFTEN_ENOUGH / 4))


def account_of(events: Iterable[Json], given: World = SOMETIMES) -> Account:
    """Acme as its events make it."""
    worker = Worker(given)
    worker.given(*events)
    return worker.partition.ledger.sums.accounts.get("acme", Account())


def features(events: Iterable[Json], day: int, **how: tuple[str, ...]) -> Features:
    """What is known of acme at the end of a day, counted from the first day of the tests."""
    return features_of(account_of(events), FIRST_DAY + day, **how)


def day(one: Json) -> int:
    """The day of an event, counted from the first day of the tests."""
    return day_of(micros(datetime.fromisoformat(one["at"]))) - FIRST_DAY


TODAY = 450
EDGES = (0, 1, 6, 7, 27, 28, 55, 56, 90, 91, 391, 392, 399, 400, 449)
"""Days before today at which windows begin and end."""
OFTEN = ("usage_reported", "lesson_completed", "member_removed", "member_added", "task_started", "cs_contacted")
"""Types of which several of one user are needed before there is anything to get wrong."""


@st.composite
def histories(draw: st.DrawFn, ahead: int = AHEAD) -> list[Json]:
    """Events of acme, where windows begin and end and behind today, with at least one that is known by then."""
    apart = st.one_of(st.sampled_from(EDGES), st.integers(-ahead, 70))
    at = st.builds(lambda ago, hour: instant(TODAY - ago, hour), apart, st.sampled_from([0, 12, 23]))
    kinds = st.sampled_from([KINDS, OFTEN, OFTEN])
    found = [draw(one_event(at, draw(kinds))) for _ in range(draw(st.integers(1, 12)))]
    told = st.sampled_from([0.0, 1.0, 40.0, True, "many"])
    found += [event("traits_set", draw(at), user=None, seats=draw(told)) for _ in range(draw(st.integers(0, 2)))]
    return [{**one, "account_id": "acme"} for one in [event("trial_started", instant(TODAY - 420)), *found]]


@given(histories())
@checked(150)
def test_nothing_that_happened_after_the_day_has_any_part_in_it(history: list[Json]) -> None:
    assert features(history, TODAY) == features([one for one in history if day(one) <= TODAY], TODAY)


AGAIN: dict[str, Json] = {
    "usage_reported": {"board": 2.0}, "session_started": {"duration_s": 9.0, "country": "DE"}, "feature_configured": {"feature": "board"},
    "ticket_opened": {"ticket": "t"}, "survey_answered": {"survey": "nps", "score": 3}, "payment_failed": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", AGAIN)
def test_what_comes_again_takes_nothing_away_at_the_edge_of_a_window(kind: str) -> None:
    first, last = event("trial_started", instant(0)), event(kind, instant(TODAY + AHEAD), **AGAIN[kind])
    for ago in EDGES:
        once = event(kind, instant(TODAY - ago), **AGAIN[kind])
        assert features([first, once, last], TODAY) == features([first, once], TODAY), ago


# -- what tells of an input -----------------------------------------------------------------------------------------


KEY_ACTIONS = ("core_action:board", "task:1", "configured:board")
KNOWN = [
    event("traits_set", instant(TODAY - 420), user=user, seats=5.0)
    for user in ("ann", "bob", "cat", "dan", "eve", None)
]
"""The account and its users are known: somebody's first event, of whatever type, makes them a member."""


def changed(history: list[Json], one: Json) -> set[str]:
    """The listed inputs that are others with one event more."""
    before, after = (features(events, TODAY, key_actions=KEY_ACTIONS) for events in (history, [*history, one]))
    listed = [input_of(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return {one.name for one in listed if one is not None}


@given(histories(), st.integers(0, 400).flatmap(lambda ago: one_event(st.just(instant(TODAY - ago)))))
@checked(150)
def test_an_event_changes_only_inputs_that_its_type_tells_of(history: list[Json], one: Json) -> None:
    assert all(
        one["type"] in INPUT[name].told_by for name in changed([*KNOWN, *history], {**one, "account_id": "acme"})
    )


INPUT = {one.name: one for one in INPUTS}
USED: list[Json] = [{"board": 3.0, "report": 1.0}, {"board": 3.0, "automated": True}]
MORE: dict[str, list[Json]] = {
    "core_action": [{"feature": "board"}], "usage_reported": USED, "session_started": [{"duration_s": 90, "country": "DE"}], "feature_configured": [{"feature": "board"}],
    "traits_set": [{"seats": 9.0}], "member_added": [{"role": "champion"}, {"role": "admin"}, {}], "concept_checked": [{"concept": "x/y", "correct": True}],
    "help_engaged": [{"source": "CS"}, {"source": "OTHER"}], "cs_contacted": [{"sentiment": 1}],
    "survey_answered": [{"survey": "nps", "score": 9}, {"survey": "csat", "score": 5}],
    "outcome_observed": [{"name": "board", "value": 1.0}],
    "experiment_assigned": [{"experiment": "by-user", "arm": "test"}], "experiment_exposed": [{"experiment": "by-user"}],
    **{f"task_{what}": [{"task": "1"}] for what in ("started", "completed", "failed")},
    **{f"ticket_{what}": [{"ticket": "t", "severity": 2}] for what in ("opened", "closed")},
    **{f"lesson_{what}": [{"lesson": "x/y"}] for what in ("started", "completed")},
}  # fmt: skip
"""Properties of one event more, where a type needs some; by which all that its type tells of can be changed."""
BEFORE = [
    *KNOWN,
    *(event("session_started", instant(TODAY - 5), user=user) for user in ("ann", "bob", "cat")),
    *(event("lesson_completed", instant(TODAY - 5), user=user, lesson="é") for user in ("ann", "bob")),
    event("member_added", instant(TODAY - 40), user="cat", role="admin"),
    event("member_added", instant(TODAY - 40), user="dan", role="champion"),
    event("session_started", instant(TODAY - 8), duration_s=60),
    event("task_started", instant(TODAY - 5), task="1"), event("task_completed", instant(TODAY - 5), task="2"),
    event("member_added", instant(TODAY - 3), role="champion"), event("member_removed", instant(TODAY - 3), user="bob"),
    *(event("ticket_opened", instant(TODAY - 5), ticket=ticket) for ticket in ("t", "u")),
    event("concept_checked", instant(TODAY - 5), concept="é", correct=False),
    event("cs_contacted", instant(TODAY - 5), sentiment=-1), event("payment_failed", instant(TODAY - 5)),
    event("payment_succeeded", instant(TODAY - 5)), event("usage_reported", instant(TODAY - 5), board=1.0),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_can_change_every_input_that_its_type_tells_of(kind: str) -> None:
    users = ["ann", "bob", "cat", "dan", *([None] if kind in WITHOUT_PERSON else [])]
    found = [changed(BEFORE, event(kind, instant(TODAY - ago, 12), user=user, **properties))
             for ago in (0, 3, 4, 30) for user in users for properties in MORE.get(kind, [{}])]  # fmt: skip
    assert set().union(*found) == {one.name for one in INPUTS if kind in one.told_by}


def test_what_tells_of_an_input_are_types_of_the_contract() -> None:
    assert {kind for one in INPUTS for kind in one.told_by} <= HOME.keys()


def test_an_input_is_found_by_the_name_it_has_in_an_account() -> None:
    named = {"usage:invites": "usage:*", "usage": "usage", "usage_trend:invites": "usage_trend:*", "usage:*": "usage:*",
             "trait:usage:x": "trait:*", "usage:": "usage:*", "invites": None, "": None}  # fmt: skip
    found = {name: input_of(name) for name in named}
    assert {name: one and one.name for name, one in found.items()} == named


# -- counted by another route --------------------------------------------------------------------------------------


def counted(history: list[Json], today: int) -> Features:
    """The inputs that can be counted, from the events themselves."""
    events = sorted((one for one in history if day(one) <= today), key=lambda one: one["at"])

    def within(window: int, *kinds: str, back: int = 0) -> list[Json]:
        first, last = today - back - window, today - back
        return [one for one in events if first < day(one) <= last and (not kinds or one["type"] in kinds)]

    def visits(window: int, back: int = 0) -> list[Json]:
        return [one for one in within(window, back=back) if is_visit(one)]

    def active(back: int = 0) -> int:
        return len({day(one) for one in visits(28, back)})

    found: Features = {}
    last = max((day(one) for one in events if is_visit(one)), default=-1000)
    found["days_since_visit"] = min(56, today - last)
    found["active_days"], found["active_days_trend"] = active() / 4, (active() - active(28)) / 4
    visitors = {one.get("user_id") for one in visits(7)}
    here = {user for user in people(events) if belongs(events, user, today)}
    found |= {"visitors": len(visitors), "members": len(here)}
    if here:
        found["weekly_share"] = min(1.0, len(visitors) / len(here))
        often = [
            user for user in here if len({day(one) for one in visits(28) if one.get("user_id") == user}) >= OFTEN_ENOUGH
        ]
        found["utilisation"] = len(often) / len(here)
        begun, done = ({(one["user_id"], one["properties"]["task"]) for one in events if one["type"] == kind}
                       for kind in ("task_started", "task_completed"))  # fmt: skip
        found["tasks_completed"], found["tasks_open"] = len(done) / len(here), len(begun - done) / len(here)
    found |= in_roles(events, visitors, here)
    for name, kind, window in (
        ("lessons", "lesson_completed", 91), ("tickets", "ticket_opened", 28), ("cs_contacts", "cs_contacted", 28),
    ):  # fmt: skip
        found[name] = len(within(window, kind))
    for name, source in (("help_cs", "CS"), ("help_other", "OTHER")):
        found[name] = sum(one["properties"]["source"] == source for one in within(28, "help_engaged"))
    if any("country" in one["properties"] for one in within(56, "session_started")):
        found["countries"] = len({one["properties"].get("country") for one in within(28, "session_started")} - {None})
    if any("duration_s" in one["properties"] for one in within(56, "session_started")):
        lengths = [
            told for one in within(28, "session_started") if (told := one["properties"].get("duration_s")) is not None
        ]
        found |= {"sessions": len(lengths) / 4, **({"session_minutes": fmean(lengths) / 60} if lengths else {})}
    opened, closed = (len(within(91, f"ticket_{how}")) for how in ("opened", "closed"))
    found["tickets_open"] = max(0, opened - closed)
    severities = {
        str(one["properties"]["severity"]) for one in within(392, "ticket_opened") if "severity" in one["properties"]
    }
    for severity in severities:
        found[f"tickets:{severity}"] = sum(
            str(one["properties"].get("severity")) == severity for one in within(28, "ticket_opened")
        )
    found |= rates(within)
    found["age"] = today - min(map(day, events))
    customer = [day(one) for one in events if one["type"] == "converted"]
    if customer:
        found["customer_age"] = today - min(customer)
    for name in ("seats", "role", "segment"):
        told = [one for one in events if name in one["properties"] and "user_id" not in one]
        value = last_told(told, name)
        if isinstance(value, float):
            found[f"trait:{name}"] = value
            if name == "seats" and value > 0:
                found["seat_utilisation"] = len(visitors) / value
    return found | amounts(within)


def is_visit(one: Json) -> bool:
    """Whether an event says that somebody used the product."""
    automated = one["properties"].get("automated", False)
    return one["type"] in VISITS or (one["type"] in ("core_action", "usage_reported") and not automated)


def people(events: list[Json]) -> set[str]:
    return {one["user_id"] for one in events if "user_id" in one}


def belongs(events: list[Json], user: str, today: int) -> bool:
    """Whether the last word on a user's membership is not that they were removed; of one instant removal counts."""
    words = [(one["at"], one["type"] == "member_removed") for one in events
             if one.get("user_id") == user and one["type"].startswith("member_") and day(one) <= today]  # fmt: skip
    return not words or not max(words)[1]


def role_of(events: list[Json], user: str) -> str | None:
    """What the last word on a user's membership says that they are; of one instant as `belongs`, then by name."""
    words = [(one["at"], one["type"] == "member_removed", one["properties"].get("role", ""))
             for one in events if one.get("user_id") == user and one["type"].startswith("member_")]  # fmt: skip
    _, removed, role = max(words, default=("", True, ""))
    return None if removed or not role else role


def in_roles(events: list[Json], visitors: set[str | None], here: set[str]) -> Features:
    """Champions, and who of the users active in the last week has completed a lesson, in all and by role."""
    found: Features = {}
    taught = {one["user_id"] for one in events if one["type"] == "lesson_completed"}
    active = {role: {user for user in visitors & here if role_of(events, user) == role}
              for role in ("champion", "admin", "member")}  # fmt: skip
    if visitors:
        found["trained_share"] = len(visitors & taught & here) / len(visitors)
    if any(one["type"] == "member_added" and "role" in one["properties"] for one in events):
        found["champions"] = len(active["champion"])
        if visitors:
            found["champion_share"] = len(active["champion"]) / len(visitors)
    return found | {
        f"trained_share:{role}": len(users & taught) / len(users) for role, users in active.items() if users
    }


def last_told(told: list[Json], name: str) -> object:
    """A trait's last value; of one instant, by type and text."""
    values = [(one["at"], type(value := one["properties"][name]).__name__, str(value), value) for one in told]
    return max(values)[3] if values else None


def rates(within: Callable[..., list[Json]]) -> Features:
    """Shares and means of the last quarter, unknown where there is nothing to take them of."""
    kept: dict[str, list[float]] = {
        "comprehension": [one["properties"]["correct"] for one in within(91, "concept_checked")],
        "payments_failed": [
            one["type"] == "payment_failed" for one in within(91, "payment_failed", "payment_succeeded")
        ],
        "cs_sentiment": [
            one["properties"]["sentiment"] for one in within(91, "cs_contacted") if "sentiment" in one["properties"]
        ],
        **{
            survey: [
                one["properties"]["score"]
                for one in within(91, "survey_answered")
                if one["properties"]["survey"] == survey
            ]
            for survey in ("nps", "csat")
        },
    }
    return {name: fmean(values) for name, values in kept.items() if values}


def amounts(within: Callable[..., list[Json]]) -> Features:
    """What usage reports counted, in all and by name."""
    found: Features = {}

    def total(window: int, name: str | None = None, automated: bool = False, back: int = 0) -> float:
        return sum(amount for one in within(window, "usage_reported", back=back)
                   if one["properties"].get("automated", False) == automated
                   for named, amount in one["properties"].items()
                   if named != "automated" and name in (None, named))  # fmt: skip

    def trend(name: str | None) -> float:
        return log1p(max(0.0, total(28, name))) - log1p(max(0.0, total(28, name, back=28)))

    for name, window in (("", 28), ("_quarter", 91), ("_year", 392)):
        if within(392, "usage_reported"):
            found[f"reports{name}"] = len(within(window, "usage_reported"))
            found[f"usage{name}"] = total(window)
            found["usage_trend"] = trend(None)
            found["days_since_report"] = next(ago for ago in range(392) if within(ago + 1, "usage_reported"))
    for automated in (False, True):
        for name in ("board", "report", "x/y", "é"):
            ever = [one for one in within(392, "usage_reported") if name in one["properties"]
                    and one["properties"].get("automated", False) == automated
                    and one["properties"][name]]  # fmt: skip
            if ever and automated:
                found[f"automated:{name}"] = total(28, name, automated)
            elif ever:
                found[f"usage:{name}"], found[f"usage_trend:{name}"] = total(28, name), trend(name)
    used = {name for name, value in found.items() if name.startswith("usage:") and value > 0}
    features = {one["properties"]["feature"] for one in within(28, "core_action")}
    tasks = {one["properties"]["task"] for one in within(28, "task_completed")}
    configured = {one["properties"]["feature"] for one in within(28, "feature_configured")}
    found["breadth"] = len(used) + len(features) + len(tasks) + len(configured)
    found["configured"] = len({one["properties"]["feature"] for one in within(56, "feature_configured")})
    return found


NOT_COUNTED = {"joined", "left"}


@given(histories())
@checked(120)
def test_what_can_be_counted_is_what_a_count_over_the_events_says(history: list[Json]) -> None:
    found = features(history, TODAY)
    assert {name: found[name] for name in found if name not in NOT_COUNTED} == pytest.approx(counted(history, TODAY))


# -- the sums they are read from -----------------------------------------------------------------------------------


@given(st.lists(histories(), min_size=2, max_size=2), st.sampled_from(["ann", "bob", None]))
@checked(25)
def test_the_sums_are_those_of_a_fresh_start_after_every_batch_and_after_somebody_is_forgotten(
    batches: list[list[Json]], who: str | None
) -> None:
    worker = Worker(SOMETIMES)
    for batch in batches:
        worker.given(*batch)
        assert sums_of(worker.partition) == sums_of(rebuilt(worker))
    worker.given(forgotten(who))
    assert sums_of(worker.partition) == sums_of(rebuilt(worker))


def test_the_sums_follow_usage_that_comes_batch_after_batch() -> None:
    worker = Worker(SOMETIMES)
    worker.given(event("member_added", role="champion"), event("lesson_completed", lesson="board"))
    for at in (0, 80, 81, 82, 79):
        worker.given(event("session_started", instant(at), country="DE", duration_s=60))
        assert sums_of(worker.partition) == sums_of(rebuilt(worker))
    found = features_of(worker.partition.ledger.sums.accounts["acme"], FIRST_DAY + 82)
    assert (found["utilisation"], found["champions"], found["trained_share:champion"]) == (1, 1, 1)
    assert (found["countries"], found["sessions"], found["session_minutes"]) == (1, 4 / 4, 1)


def forgotten(user: str | None) -> Json:
    person = {"user_id": user} if user else {}
    return {"id": f"forget {user}", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme", **person}


@given(histories(), st.sampled_from(["ann", "bob"]))
@checked(40)
def test_of_somebody_forgotten_nothing_is_left_in_the_features(history: list[Json], who: str) -> None:
    without = [one for one in history if one.get("user_id") != who]
    if without:
        assert features([*history, forgotten(who)], TODAY) == features(without, TODAY)


# -- single cases --------------------------------------------------------------------------------------------------


def test_every_input_is_listed_once_with_unit_and_meaning_and_nothing_else_is_given() -> None:
    names = [one.name for one in INPUTS]
    assert len(set(names)) == len(names)
    assert all(one.unit and one.meaning for one in INPUTS)
    everything = [event("trial_started"), *(event("usage_reported", user="ann", board=1.0, automated=how) for how in (False, True)),
                  event("traits_set", user=None, seats=3.0), event("survey_answered", survey="nps", score=9)]  # fmt: skip
    found = features(everything, 0, key_actions=("core_action:board",))
    assert all(is_chosen(name, tuple(names)) for name in found)


def test_of_an_account_of_which_nothing_is_told_the_rest_is_absent_and_not_0() -> None:
    found = features([event("core_action", user=None, feature="board")], 0)
    unknown = {"weekly_share", "tasks_completed", "tasks_open", "seat_utilisation", "usage", "usage_trend", "reports",
               "comprehension", "nps", "csat", "cs_sentiment", "payments_failed", "customer_age"}  # fmt: skip
    assert not unknown & found.keys()


def test_one_user_is_a_whole_account() -> None:
    found = features([event("session_started"), event("lesson_completed", lesson="board")], 0)
    assert {name: found[name] for name in ("members", "visitors", "weekly_share", "trained_share", "joined")} == {
        "members": 1, "visitors": 1, "weekly_share": 1, "trained_share": 1, "joined": 1
    }  # fmt: skip


def test_five_thousand_users() -> None:
    users = [f"user {number}" for number in range(5_000)]
    lessons = [event("lesson_completed", instant(1), user=user, lesson="board") for user in users[:500]]
    gone = [event("member_removed", instant(2), user=user) for user in users[:100]]
    found = features([*(event("session_started", instant(1), user=user) for user in users), *lessons, *gone], 2)
    assert {name: found[name] for name in ("members", "visitors", "left", "lessons", "trained_share")} == {
        "members": 4_900, "visitors": 5_000, "left": 100, "lessons": 500, "trained_share": 400 / 5_000
    }  # fmt: skip


def test_the_trained_share_falls_when_a_trained_user_leaves_and_rises_when_they_are_back() -> None:
    daily = [event("session_started", instant(day), user=user) for day in range(6) for user in ("ann", "bob")]
    learned = event("lesson_completed", instant(1), lesson="board")
    gone, back = event("member_removed", instant(3)), event("member_added", instant(5))
    history = [*daily, learned, gone, back]
    shares = [features(history, day)["trained_share"] for day in range(6)]
    assert shares == [0, 0.5, 0.5, 0, 0, 0.5]


@pytest.mark.parametrize("least", [1, 8, 28])
@given(st.integers(0, 2**64 - 1) | st.sampled_from([2**64 - 1, 1, 2**63]))
@checked(60)
def test_regular_days_are_those_that_a_count_day_by_day_finds(least: int, days: int) -> None:
    active = [bool(days >> back & 1) for back in range(64)]
    counts = [sum(active[max(0, back - 27) : back + 1]) for back in range(64 + 27)]
    assert regular_mask(days, least) == sum(1 << back for back, count in enumerate(counts) if count >= least)


def test_regular_users_are_those_who_come_as_often_as_is_configured_while_they_belong_to_the_account() -> None:
    often = [event("session_started", instant(at)) for at in range(0, 28, 3)]
    seldom = [event("session_started", instant(at), user="bob") for at in range(0, 28, 4)]
    gone, back = event("member_removed", instant(30)), event("member_added", instant(32))
    history = [*often, *seldom, gone, back]
    account = account_of(history, world(actions=Actions(regular_days_per_week=2)))
    found = [features_of(account, FIRST_DAY + today)["utilisation"] for today in (20, 21, 29, 30, 32, 33, 34)]
    assert found == [0, 1 / 2, 1 / 2, 0, 1 / 2, 1 / 2, 0]
    account = account_of(history, world(actions=Actions(regular_days_per_week=1.7)))
    assert features_of(account, FIRST_DAY + 24)["utilisation"] == 1, "6.8 days in four weeks are no less than 7"


def test_a_role_is_that_of_the_last_word_on_it_and_goes_with_whoever_leaves() -> None:
    daily = [event("session_started", instant(at), user=user) for at in range(8) for user in ("ann", "bob")]
    told = [
        event("member_added", instant(at), role=role) for at, role in ((1, "champion"), (3, "admin"), (4, "champion"))
    ]
    gone, back = (event(f"member_{how}", instant(at), role="champion") for at, how in ((5, "removed"), (6, "added")))
    found = [features([*daily, *told, gone, back, event("member_added", instant(7))], today) for today in range(8)]
    assert [one.get("champions") for one in found] == [None, 1, 1, 0, 1, 0, 1, 0]
    assert [one.get("champion_share") for one in found] == [None, 1 / 2, 1 / 2, 0, 1 / 2, 0, 1 / 2, 0]


def test_champions_are_0_when_none_of_them_comes_any_more_and_their_share_is_unknown_when_nobody_does() -> None:
    visits = [event("session_started"), event("session_started", instant(9), user="bob")]
    found = [features([*visits, event("member_added", role="champion")], today) for today in (6, 7, 9)]
    assert [(one["champions"], one.get("champion_share")) for one in found] == [(1, 1), (0, None), (0, 0)]


def test_who_is_trained_by_role() -> None:
    roles = {"ann": "champion", "bob": "champion", "cat": "admin", "dan": None}
    told = [event("member_added", user=user, **({"role": role} if role else {})) for user, role in roles.items()]
    visits = [event("session_started", user=user) for user in roles]
    lessons = [event("lesson_completed", user=user, lesson="board") for user in ("ann", "dan")]
    found = features([*told, *visits, *lessons], 0)
    assert {name: value for name, value in found.items() if name.startswith("trained_share")} == {
        "trained_share": 1 / 2, "trained_share:champion": 1 / 2, "trained_share:admin": 0
    }  # fmt: skip


def test_a_task_that_was_completed_and_never_begun_closes_no_other() -> None:
    found = features([event("task_started", task="1"), event("task_completed", user="bob", task="2")], 0)
    assert (found["tasks_open"], found["tasks_completed"]) == (1 / 2, 1 / 2)


def test_contacts_of_which_no_sentiment_was_told_have_no_part_in_the_mean() -> None:
    told = [event("cs_contacted", sentiment=sentiment) for sentiment in (-1, -1, 1)]
    assert features([*told, event("cs_contacted")], 0)["cs_sentiment"] == pytest.approx(-1 / 3)
    assert "cs_sentiment" not in features([event("cs_contacted")], 0)
    assert features([event("cs_contacted", sentiment=0)], 0)["cs_sentiment"] == 0


def test_a_share_of_more_visitors_than_members_is_the_whole() -> None:
    history = [event("session_started", user=user) for user in ("ann", "bob")]
    found = features([*history, event("member_removed", instant(1), user="bob")], 1)
    assert (found["visitors"], found["members"], found["weekly_share"]) == (2, 1, 1)


def test_sessions_whose_length_was_told_and_how_long_they_were() -> None:
    lengths = {0: 60.0, 1: None, 2: 300.0, 30: 0.0}
    history = [event("session_started", instant(at), **({} if length is None else {"duration_s": length}))
               for at, length in lengths.items()]  # fmt: skip
    found = [features(history, today) for today in (0, 2, 28, 30, 70)]
    assert [one.get("sessions") for one in found] == [1 / 4, 2 / 4, 1 / 4, 1 / 4, 0]
    assert [one.get("session_minutes") for one in found] == [1, 3, 5, 0, None]
    assert not {"sessions", "session_minutes"} & features(history, 90).keys(), "nothing has been told for eight weeks"


def test_countries_are_counted_once_for_all_users_and_are_no_features() -> None:
    history = [event("session_started", instant(at), user=user, country=country)
               for at, user, country in ((0, "ann", "DE"), (1, "bob", "DE"), (2, "bob", "FR"), (29, "ann", "PL"))]  # fmt: skip
    found = [features(history, today) for today in (0, 2, 28, 29, 30, 84, 85)]
    assert [one.get("countries") for one in found] == [1, 2, 2, 2, 1, 0, None]
    assert {one["breadth"] for one in found} == {0}
    assert "countries" not in features([event("session_started")], 0)


def test_tickets_by_severity_be_it_a_name_or_a_number() -> None:
    severities = ["high", "high", 3, "3", None]
    found = features(
        [event("ticket_opened", ticket="t", **({"severity": one} if one else {})) for one in severities], 0
    )
    assert {name: value for name, value in found.items() if name.startswith("tickets")} == {
        "tickets": 5, "tickets:high": 2, "tickets:3": 2, "tickets_open": 5
    }  # fmt: skip


def test_of_many_severities_those_of_which_there_were_most_are_inputs() -> None:
    opened = [
        event("ticket_opened", ticket="t", severity=f"{number:02}") for number in range(12) for _ in range(1 + number)
    ]
    found = {name for name in features(opened, 0) if name.startswith("tickets:")}
    assert found == {f"tickets:{number:02}" for number in range(4, 12)}


@pytest.mark.parametrize("seats", [1e12, 5e-324, -1.0, 0.0])
def test_huge_and_tiny_numbers_give_finite_inputs_or_none(seats: float) -> None:
    used = [event("usage_reported", user=f"user {number}", board=1e12, report=-1e12) for number in range(50)]
    found = features([*used, event("traits_set", user=None, seats=seats)], 0)
    assert found["usage:board"] == 5e13 and found["usage"] == 0
    assert all(map(isfinite, found.values()))
    assert ("seat_utilisation" in found) == (seats == 1e12)


def test_a_name_that_comes_up_is_unknown_before_it_and_again_when_it_has_long_been_gone() -> None:
    history = [
        event("usage_reported", instant(day), board=2.0, **more) for day, more in ((0, {}), (10, {"report": 1.0}))
    ]
    found = {
        day: features([*history, event("usage_reported", instant(402), board=1.0)], day)
        for day in (9, 10, 40, 401, 402)
    }
    assert [one.get("usage:report") for one in found.values()] == [None, 1, 0, 0, None]


def test_a_model_reads_what_is_chosen_and_nothing_that_is_held_out() -> None:
    used = features([event("usage_reported", board=2.0, report=1.0)], 0)
    assert chosen_of(used, (), ()) is used
    chosen = {"usage:board": 2, "usage:report": 1, "age": 0}
    assert chosen_of(used, ("usage:*", "age"), ()) == chosen
    assert chosen_of(used, ("usage:*", "age"), ("usage:board", "nps")) == {"usage:report": 1, "age": 0}
    assert used.keys() - chosen_of(used, (), ("usage:board",)).keys() == {"usage:board"}


def test_days_with_a_key_action() -> None:
    history = [
        event("core_action", instant(day), feature=name) for day, name in ((0, "board"), (1, "report"), (2, "board"))
    ]
    keyed = features(history, 2, key_actions=("core_action:board",))
    assert keyed["key_action_days"] == 2 / 4 and "key_action_days" not in features(history, 2)


def test_who_joined_and_left_in_four_weeks() -> None:
    history = [event("session_started", instant(0)), event("session_started", instant(20), user="bob"),
               event("member_removed", instant(25), user="bob"), event("member_added", instant(30), user="bob")]  # fmt: skip
    joined, left = (
        [features(history, day)[name] for day in (0, 20, 27, 28, 30, 53, 58)] for name in ("joined", "left")
    )
    assert (joined, left) == ([1, 2, 2, 1, 2, 1, 0], [0, 0, 1, 1, 1, 0, 0])


def test_of_many_names_those_used_most_in_the_quarter_are_inputs() -> None:
    used = [event("usage_reported", **{f"name {number}": float(number) for number in range(1, 41)})]
    found = {name for name in features(used, 0) if name.startswith("usage:")}
    assert found == {f"usage:name {number}" for number in range(9, 41)}
