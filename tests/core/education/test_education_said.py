"""What the education snapshot says of users of a certain kind, and that it does not say more than it knows."""

import json

import pytest

from livelift.replay import Replay
from models.education.annotations import new_annotation
from models.education.months import month_of, months_of, name_of
from models.education.sums import NAMES_KEPT
from models.events import SOURCES
from models.product import Actions, Product
from models.snapshot import Partials, canonical
from models.world import World
from tests.support.build import FIRST_DAY, Json, Worker, event, instant, place, recorded, records, snapshot, tick, world

pytestmark = pytest.mark.core

KEY = Actions(key=("core_action:board",))


def read(*timeline: Json, until: float = 60, **settings: object) -> Json:
    worker = Worker(world(**{"actions": KEY, **settings}))
    worker.given(*timeline, tick(instant(until)))
    return worker.snapshot()["education"]


def trigger_happy() -> list[Json]:
    """Somebody who clicks on everything and answers wrong."""
    clicks = [
        event("core_action", instant(day, hour), user="eve", feature="board") for day in range(20) for hour in (9, 10)
    ]
    checks = [event("concept_checked", instant(day), user="eve", concept=f"c{day}", correct=False) for day in range(3)]
    return [*clicks, *checks, event("concept_checked", instant(9), user="eve", concept="c0", correct=True)]


def test_a_trigger_happy_user_has_adopted_and_not_understood() -> None:
    found = read(*trigger_happy())
    assert (found["adoption"]["adopted"], found["adoption"]["users"]) == (1, 1)
    split = found["comprehension"]["adoption"]
    assert (split["understood"], split["used_only"], split["neither"]) == (
        0,
        {"users": 1, "answered_wrong": 1, "not_asked": 0},
        0,
    )
    c0 = found["comprehension"]["concepts"]["c0"]
    assert (c0["checked"], c0["first_try_correct"], c0["share"]) == (1, 0, 0.0), "the second try does not count"


def test_understood_needs_both_use_and_right_answers() -> None:
    def user(name: str, *, uses: bool, right: list[bool]) -> list[Json]:
        used = [event("core_action", instant(1), user=name, feature="board" if uses else "other")]
        return used + [
            event("concept_checked", instant(2), user=name, concept=f"c{place}", correct=correct)
            for place, correct in enumerate(right)
        ]

    found = read(
        *user("knows", uses=True, right=[True, True, False]),
        *user("half", uses=True, right=[True, False]),
        *user("silent", uses=True, right=[]),
        *user("reader", uses=False, right=[True]),
    )["comprehension"]["adoption"]
    assert (found["users"], found["understood"], found["neither"]) == (4, 1, 1)
    assert found["used_only"] == {"users": 2, "answered_wrong": 1, "not_asked": 1}


def test_without_key_actions_nothing_is_said_of_adoption() -> None:
    found = read(*trigger_happy(), actions=Actions())
    for part in (found["adoption"], found["comprehension"]["adoption"], found["sequence"]["pairs"][0]):
        assert "no key action is configured" in part["because"]
    assert found["sequence"]["pairs"][0]["before"] is None
    assert found["sequence"]["pairs"][1]["before"] == 0, "training and support need no key action"


def test_everybody_is_told_apart_from_cause() -> None:
    found = read(*trigger_happy())
    assert "differ in motivation" in found["adoption"]["against_training"]["note"]
    assert "differ in motivation" in found["activity"]["against_training"]["note"]
    assert "Observed, not tried" in found["tickets"]["note"]


def test_before_time_is_known_nothing_is_said() -> None:
    worker = Worker(world(actions=KEY))
    worker.given(*trigger_happy())
    assert worker.snapshot()["education"]["because"] == "no event time is known yet"


ARTICLE = new_annotation(instant(40), "article published", "billing")


def around(until: float, annotated: object = ARTICLE, first: float = 5) -> Json:
    opened = [
        event("ticket_opened", instant(day), f"account-{number}", ticket="T", area="billing")
        for number in range(3)
        for day in (first, *([first + 1] if number else []), 70)
    ]
    visits = [event("session_started", instant(day), f"account-{number}") for number in range(3) for day in (first, 70)]
    worker = Worker(World(Product(), annotations=(annotated,)))
    worker.given(*sorted([*opened, *visits], key=lambda one: one["at"]), tick(instant(until)))
    (found,) = worker.snapshot()["education"]["tickets"]["annotations"]
    return found


def test_tickets_around_an_annotation_wait_for_the_month_after_it() -> None:
    waiting = around(until=80)
    assert (waiting["ratio"], waiting["because"]) == (None, "the month after it is not over yet")
    found = around(until=100)
    assert (found["before"], found["after"], found["what"]) == ("2026-05", "2026-07", "article published")
    assert found["ratio"] == pytest.approx(3 / 5)
    assert found["ci"] is not None and "because" not in found


def test_an_annotation_of_which_too_little_is_kept_or_told_says_so() -> None:
    assert around(until=40 + 400)["because"] == "the month before it is no longer kept"
    other = new_annotation(instant(40), "article published", "exports")
    assert around(until=100, annotated=other)["because"] == "no ticket of this area is told of"


def test_an_annotation_written_twice_is_one() -> None:
    assert new_annotation(instant(40), "article published", "billing") == ARTICLE
    assert new_annotation(instant(40), "article published", None).id != ARTICLE.id


# -- many names, and many partitions -------------------------------------------------------------------------------------


def test_areas_and_concepts_beyond_64_are_left_out_alike_in_any_split() -> None:
    timeline = [
        given
        for number in range(NAMES_KEPT + 30)
        for given in (
            event(
                "ticket_opened", instant(1), f"account-{number % 7}", f"u{number}", ticket="T", area=f"area {number}"
            ),
            event(
                "concept_checked", instant(1), f"account-{number % 7}", f"u{number}", concept=f"{number}", correct=True
            ),
        )
    ]
    one = Worker(world())
    one.given(*timeline, tick(instant(60)))
    others = [Worker(world(), number=number, partitions=3) for number in range(3)]
    for worker in others:
        home = [given for given in timeline if place(3)(given["account_id"]) == worker.partition.number]
        worker.take(records([*home, tick(instant(60))]))
    found = one.snapshot()["education"]
    assert len(found["tickets"]["areas"]) == len(found["comprehension"]["concepts"]) == NAMES_KEPT
    assert found == snapshot(*others)["education"]
    total = sum(row["tickets"] for row in found["tickets"]["all"]["by_month"])
    assert total == NAMES_KEPT + 30, "all tickets are counted together"


def test_a_share_that_is_taken_back_is_out_of_the_sums() -> None:
    partials = Partials()
    partials.put(b"education|users|0", json.dumps({"known": {"24316": 2}}).encode())
    partials.put(b"education|users|1", json.dumps({"known": {"24316": 3}}).encode())
    partials.put(
        b"partition||0", json.dumps({"time": instant(60), "plans": [], "offsets": dict.fromkeys(SOURCES, 0)}).encode()
    )
    here = world(actions=KEY)
    assert partials.education(here)["adoption"]["by_month"][0]["users"] == 5
    partials.put(b"education|users|1", None)
    assert partials.education(here)["adoption"]["by_month"][0]["users"] == 2


def test_a_recording_replayed_is_what_a_partition_says() -> None:
    timeline = [*sorted(trigger_happy(), key=lambda one: one["at"]), tick(instant(100))]
    replay = Replay(Product(actions=KEY), {}, annotations=(ARTICLE,))
    replay.feed(recorded(timeline), instant(100))
    worker = Worker(World(Product(actions=KEY), annotations=(ARTICLE,)))
    worker.take(records(timeline))
    assert canonical(replay.snapshot())["education"] == canonical(worker.snapshot())["education"]
    assert replay.snapshot()["education"]["tickets"]["annotations"][0]["id"] == ARTICLE.id


# -- months ----------------------------------------------------------------------------------------------------------------


def test_months_of_days_one_by_one() -> None:
    for top, days in ((FIRST_DAY, 0b1), (FIRST_DAY, 0b10001), (FIRST_DAY + 100, (1 << 447) | 1), (FIRST_DAY, 0)):
        each = {month_of(top - back) for back in range(days.bit_length()) if days >> back & 1}
        assert months_of(top, days) == tuple(sorted(each, reverse=True))
    assert name_of(month_of(FIRST_DAY)) == "2026-05"
