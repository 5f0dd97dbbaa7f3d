"""What an alert says: every number in it is the one of the score message that stands in its place, and no other."""

import re
from collections.abc import Iterable
from math import exp, floor, log10
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alerts import inputs, phrases
from models.alerts.alert import Alert
from models.alerts.evidence import Score, instant_of
from models.alerts.letter import Letter
from models.alerts.names import END, FIRST_STRONG, LONGEST_SUBJECT, name, short_name, subject
from models.alerts.rules import Hours, Owners, Rule, Rules, Stuck, When
from models.alerts.scored import Whole
from models.alerts.words import digest_of, letter_of
from models.clock import DAY, date_of, rfc3339
from models.health.listed import INPUTS as OF_MODEL
from models.index import INPUTS as OF_INDEX
from tests.support.build import FIRST_DAY, T0, Json, Worker, checked, event, instant, tick, world

pytestmark = pytest.mark.core

PAGE = "https://crm.example.com/accounts/{account_id}"


def evidence(**more: Any) -> Json:
    """A score message of a model."""
    return {
        "account_id": "acme", "traits": {"name": "Acme Ltd", "owner": "dana"}, "at": rfc3339(T0 + 10 * DAY),
        "score": 24.37, "name": "health score", "band": "at_risk", "band_since": "2026-05-14", "basis": "logistic-7",
        "closes": [["2026-05-08", 43.12], ["2026-05-14", 31.5]], "change_7d": -11.62,
        "probability": 0.2437, "probability_interval": [0.181, 0.312], "mrr": 2000.0, "revenue_at_risk": 1512.6,
        "revenue_at_risk_interval": [1376.0, 1638.0], "causes": [{"event": "e", "type": "payment_failed"}],
        "signs": {"champion_gone_days": 9, "trained_gone_days": 0, "tickets_open": 4, "payments_failed": 1},
        "drivers": [
            {"feature": "active_days", "value": 0.5, "typical": [2.25, 4.5], "change_7d": -1.5, "contribution": -21.4},
            {"feature": "comprehension", "value": 0.92, "typical": [0.5, 0.8], "change_7d": 0.0, "contribution": 3.1},
            {"feature": "usage_trend:exports", "value": -0.6931, "typical": [-0.1, 0.2], "change_7d": -0.2,
             "contribution": -6.25},
            {"feature": "weekly_share", "value": 0.125, "typical": [0.3, 0.55], "change_7d": None, "contribution": -4.4},
            {"feature": "nps", "value": None, "typical": None, "change_7d": None, "contribution": -0.3},
        ],
        **more,
    }  # fmt: skip


def alert(given: Json, rule: str = "r", **more: Any) -> Alert:
    told = {"id": "a1", "account_id": "acme", "rule": rule, "reason": "at_risk", "owner": "dana", "evidence": given}
    return Alert(**told | more)


def rules(when: When | None = None, **more: Any) -> Rules:
    return Rules(rule=(Rule(id="r", when=when or When(band="at_risk"), **more),), account_page=PAGE)


def letter(given: Json, when: When | None = None, **more: Any) -> Letter:
    return letter_of(alert(given), rules(when, **more))


def test_an_account_at_risk_is_told_with_all_that_there_is_to_say() -> None:
    said = letter(evidence())
    assert said.heading == said.subject == "Acme Ltd is at risk: health score 24, down 19 in a week"
    assert dict(said.facts) == {
        "Account": "Acme Ltd (acme)", "Owner": "dana", "Health score": "24 of 100", "Band": "at risk since 2026-05-14",
        "A week ago": "43; down 19 in a week", "Probability of a good end": "24.4\u00a0%, between 18.1\u00a0% and 31.2\u00a0%",
        "Revenue at risk": "1,513 of 2,000 a month, between 1,376 and 1,638",
    }  # fmt: skip
    assert [*map(tuple, said.drivers)] == [
        ("Days with a visit", "0.5 days a week", "2.25 to 4.5", "−1.5", "−21"),
        ("Usage of exports, against the four weeks before", "0.5 times", "0.905 to 1.22 times", "0.819 times as much", "−6.2"),
        ("Share of users active in the last week", "12.5\u00a0% of users", "30\u00a0% to 55\u00a0%", "", "−4.4"),
    ]  # fmt: skip
    assert said.happened == ("payment failed",)
    assert said.signs == (
        "No champion was active for 9 days", "4 tickets open", "1 payment failed since one last succeeded",
    )  # fmt: skip
    assert said.next_step == "Ask them about what pulls the score down most: days with a visit."
    assert said.why == "Rule r: it is at risk."
    assert said.link == "https://crm.example.com/accounts/acme"
    assert said.at == "2026-05-15 00:00 UTC"


def test_a_letter_says_of_a_real_score_what_the_message_says() -> None:
    worker = Worker(world())
    worker.given(event("traits_set", instant(0), user=None, name="Acme Ltd", owner="dana"))
    for day in range(10):
        worker.given(event("session_started", instant(day, 9)), tick(instant(day + 1, 2)))
    worker.given(*(tick(instant(day, 2)) for day in range(11, 36)))
    message = next(one for one in worker.to("account-scores") if one["band"] == "at_risk")
    said = letter(message)
    assert dict(said.facts)["Activity index"] == f"{int(message['score'])} of 100"
    assert message["because"] in said.note
    assert strangers(said, message, rules().rule[0]) == []


# -- every number --------------------------------------------------------------------------------------------------------

NUMBER = re.compile(r"−?\d[\d,]*(?:\.\d+)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?")


def exact(value: float) -> float:
    return 0.0


def to_points(value: float) -> float:
    """Two digits, or one behind the point."""
    return 0.5 if abs(value) >= 9.95 else 0.05


def to_money(value: float) -> float:
    return 0.5 if abs(value) >= 100 else 0.005


def to_digits(value: float) -> float:
    """Three digits, and the whole number of a large one; inputs are told to four digits behind the point at most."""
    return max(1e-4, 0.5 * 10.0 ** min(0, floor(log10(abs(value) or 1)) - 2))


def strange(text: str, values: Iterable[float | None], within: Any = exact, moments: Iterable[str] = ()) -> list[str]:
    """The numbers and dates in a text that are none of these. within: how far what is written may be from a value."""
    dates, known = [*moments], [value for value in values if value is not None]
    found = [one for one in MOMENT.findall(text) if one not in dates]
    for token in NUMBER.findall(MOMENT.sub("", text)):
        written = float(token.replace("−", "-").replace(",", ""))
        if not any(abs(written - value) <= within(value) + 1e-9 * max(1.0, abs(value)) for value in known):
            found.append(token)
    return found


def floors(*values: float | None) -> list[float]:
    return [float(int(value)) for value in values if value is not None]


def strangers(said: Letter, message: Json, rule: Rule) -> list[str]:
    """Every number of a letter that is not the one of the message, or of the rule, that belongs in its place."""
    score, facts = floors(message["score"]), dict(said.facts)
    week_ago = date_of((instant_of(message["at"]) - 7 * DAY) // DAY)
    before = [close for day, close in message["closes"] if day <= week_ago][-1:]
    drop = [abs(close - message["score"]) for close in before]
    found = []

    def place(text: str, values: Iterable[float | None], within: Any = exact, moments: Iterable[str] = ()) -> None:
        found.extend(strange(text, values, within, moments))

    heading, _, moved = said.heading.partition(": ")[2].partition(", ")
    place(heading, score)
    place(moved, drop, to_points)
    place(facts[message["name"].capitalize()], [*score, 100.0])
    place(facts["Band"], [], moments=[message["band_since"] or ""])
    then, _, moved = facts.get("A week ago", "").partition("; ")
    place(then, floors(*before))
    place(moved, drop, to_points)
    shares = [message["probability"], *(message["probability_interval"] or [])]
    place(facts.get("Probability of a good end", ""), map(hundredfold, shares), to_digits)
    lost = [message["revenue_at_risk"], message["mrr"], *(message["revenue_at_risk_interval"] or [])]
    place(facts.get("Revenue at risk", ""), lost, to_money)
    worst = sorted(
        (one for one in message["drivers"] if one["contribution"] <= -0.05), key=lambda one: one["contribution"]
    )
    assert len(said.drivers) == min(3, len(worst))
    for pull, one in zip(said.drivers, worst, strict=False):
        read = of_unit(one["feature"], message["basis"])
        place(pull.points, [one["contribution"]], to_points)
        place(pull.value, [read(one["value"])], to_digits)
        place(pull.typical, map(read, one["typical"] or []), to_digits)
        place(pull.change, [read(one["change_7d"])], to_digits)
    place(" ".join(said.signs), message["signs"].values())
    when, closes = rule.when, dict(message["closes"])
    days = when.champion_gone_days, when.trained_gone_days, when.within_days
    asked = *days, when.tickets_open, when.payments_failed, hundredfold(when.probability_below), when.score_below
    told = strange(said.why, [*asked, *score, *floors(*closes.values())], to_digits, closes)
    told = strange(" ".join(told), [when.revenue_at_risk], to_money)
    place(" ".join(told), [when.drop], to_points)
    place(said.at, [], moments=[message["at"][:16].replace("T", " ")])
    return found


def hundredfold(value: float | None) -> float | None:
    return None if value is None else 100 * value


def of_unit(feature: str, basis: str) -> Any:
    """What becomes of an input's number before it is read."""
    unit = inputs.meaning_of(feature, basis).unit
    if unit.startswith("share"):
        return hundredfold
    if unit == "log ratio":
        return lambda value: None if value is None else exp(value)
    return lambda value: value


def hundredths(low: float, high: float) -> st.SearchStrategy[float]:
    return st.integers(round(low * 100), round(high * 100)).map(lambda n: n / 100)


def shares() -> st.SearchStrategy[float]:
    return st.integers(0, 10_000).map(lambda n: n / 10_000)


def pairs(one: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.none() | st.tuples(one, one).map(sorted)


FEATURES = [one.name.replace("*", "exports") for one in OF_MODEL]
VALUES = st.one_of(st.integers(-9 * 10**4, 9 * 10**4).map(lambda n: n / 10_000), st.integers(0, 10**7).map(float))


@st.composite
def messages(draw: Any) -> Json:
    heuristic = draw(st.booleans())
    signs = {"champion_gone_days": draw(st.none() | st.integers(0, 28)), "tickets_open": draw(st.integers(0, 5000)),
             "trained_gone_days": draw(st.none() | st.integers(0, 28)), "payments_failed": draw(st.integers(0, 30))}  # fmt: skip
    names = [one.name for one in OF_INDEX] if heuristic else FEATURES
    drivers = [
        {"feature": feature, "value": draw(st.none() | values), "typical": None if heuristic else draw(pairs(values)),
         "change_7d": draw(st.none() | values), "contribution": draw(hundredths(-60, 40))}
        for feature in draw(st.lists(st.sampled_from(names), unique=True, max_size=6))
        for values in [st.integers(-9, 9).map(float) if "trend" in feature else VALUES]
    ]  # fmt: skip
    days = draw(st.lists(st.integers(1, 10), unique=True, max_size=6).map(sorted))
    return evidence(
        at=rfc3339(T0 + 11 * DAY + draw(st.integers(0, 86_399)) * 1_000_000),
        score=draw(hundredths(0, 100)), name="activity index" if heuristic else "health score",
        band=draw(st.sampled_from(["healthy", "watch", "at_risk"])),
        band_since=draw(st.none() | st.just("2026-05-09")), basis="heuristic" if heuristic else "logistic",
        closes=[[date_of(FIRST_DAY + day), draw(hundredths(0, 100))] for day in days],
        probability=None if heuristic else draw(shares()),
        probability_interval=None if heuristic else draw(pairs(shares())),
        mrr=draw(st.none() | hundredths(0, 10**6)),
        revenue_at_risk=None if heuristic else draw(st.none() | hundredths(0, 10**6)),
        revenue_at_risk_interval=None if heuristic else draw(pairs(hundredths(0, 10**6))),
        because="no model has learned yet" if heuristic else None, signs=signs, drivers=drivers,
    )  # fmt: skip


def some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | one


WHENS = st.builds(
    When, band=some(st.just("at_risk")), left_band=some(st.just("healthy")), score_below=some(hundredths(1, 100)),
    drop=some(hundredths(1, 100)), within_days=st.integers(1, 7), probability_below=some(shares().filter(bool)),
    revenue_at_risk=some(hundredths(1, 10**5)), champion_gone_days=some(st.integers(1, 28)),
    trained_gone_days=some(st.integers(1, 28)), tickets_open=some(st.integers(1, 50)),
    payments_failed=some(st.integers(1, 50)), on_capacity_list=some(st.just(True)),
)  # fmt: skip


@checked(120)
@given(messages(), WHENS)
def test_every_number_is_the_messages_or_the_rules(message: Json, when: When) -> None:
    assert strangers(letter(message, when), message, Rule(id="r", when=when)) == []


CHANGED = {
    "score": 61.9, "closes": [["2026-05-08", 87.0]], "probability": 0.9, "probability_interval": [0.77, 0.99],
    "revenue_at_risk": 77.0, "revenue_at_risk_interval": [5.5, 6.6], "band_since": "2026-05-11", "mrr": 900.0,
    "at": rfc3339(T0 + 10 * DAY + 3_600_000_000),
    "signs": {"champion_gone_days": 8, "trained_gone_days": 0, "tickets_open": 7, "payments_failed": 2},
    **{f"drivers[{at}].{field}": value for at in (0, 2, 3)
       for field, value in (("value", 0.3), ("typical", [7.0, 8.0]), ("contribution", -8.8))},
    "drivers[0].change_7d": -1.0, "drivers[2].change_7d": 0.5,
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGED)
def test_the_check_sees_a_number_that_is_not_the_messages(field: str) -> None:
    said, other = letter(evidence()), evidence()
    assert strangers(said, other, rules().rule[0]) == []
    into, _, inside = field.partition(".")
    if inside:
        other["drivers"][int(into[-2])][inside] = CHANGED[field]
    else:
        other[field] = CHANGED[field]
    assert strangers(said, other, rules().rule[0])


@checked(40)
@given(messages(), WHENS)
def test_an_activity_index_tells_nothing_of_money_or_probability(message: Json, when: When) -> None:
    told = {"probability": 0.2437, "probability_interval": [0.18, 0.31], "mrr": 777_123.0, "revenue_at_risk": 555_321.0}
    said = letter({**message, "basis": "heuristic", "name": "activity index", **told}, when)
    text = " ".join([said.heading, said.why, said.next_step, *(f"{one.name}: {one.value}" for one in said.facts)])
    for word in ("robability", "evenue", "lost", "a month", "end well", "24.4", "777,123", "555,321"):
        assert word not in text.replace("has lost its", "")
    assert said.note


# -- words ---------------------------------------------------------------------------------------------------------------


def test_a_score_just_below_a_threshold_does_not_read_as_the_threshold() -> None:
    assert "activity index 29, " in letter(evidence(score=29.99, name="activity index")).heading


def test_without_a_comparable_close_no_change_is_told() -> None:
    said = letter(evidence(closes=[["2026-05-14", 31.5]]))
    assert said.heading == "Acme Ltd is at risk: health score 24"
    assert "A week ago" not in dict(said.facts)
    assert letter(evidence(closes=[["2026-05-08", 24.35]])).heading.endswith("24, as a week ago")
    assert letter(evidence(closes=[["2026-05-08", 20.0]])).heading.endswith("24, up 4.4 in a week")


@pytest.mark.parametrize(
    ("when", "title", "why", "step"),
    [
        (When(drop=15.0, within_days=3), "is falling", "it fell by 15 points or more within 3 days: from 43 at the close of 2026-05-08 to 24", "Ask them"),
        (When(payments_failed=1), "has payments failing", "1 payment or more failed since one succeeded", "Ask whoever pays"),
        (When(champion_gone_days=7), "has lost its champion", "no champion was active for 7 days or more", "Find out who"),
        (When(trained_gone_days=14), "has lost its last trained user", "nobody trained was active for 14 days or more", "Offer a training"),
        (When(tickets_open=3), "has tickets piling up", "3 tickets or more are open", "Ask support"),
        (When(left_band="healthy"), "is no longer healthy", "it was healthy, and is at risk", "Ask them"),
        (When(revenue_at_risk=1000.0), "has revenue at risk", "1,000 a month or more are expected to be lost", "Ask them"),
        (When(probability_below=0.3), "is not likely to end well", "the probability of a good end is below 30\u00a0%", "Ask them"),
        (When(score_below=30.0), "has a low score", "its score is below 30", "Ask them"),
        (When(on_capacity_list=True), "is among the first to look at", "it is on the capacity list", "Ask them"),
        (When(band="at_risk", tickets_open=3), "has tickets piling up and is at risk", "3 tickets or more are open, and it is at risk", "Ask support"),
    ],
)  # fmt: skip
def test_each_condition_has_its_words(when: When, title: str, why: str, step: str) -> None:
    said = letter(evidence(), when)
    assert said.heading.startswith(f"Acme Ltd {title}: ")
    assert said.why == f"Rule r: {why}."
    assert said.next_step.startswith(step)


def test_every_condition_and_every_input_has_words() -> None:
    asked = {field for field in When.__struct_fields__ if field not in ("within_days", "stuck")}
    said = {
        field for field in asked for phrase in phrases.PHRASES
        if phrase.asked(When(**{field: "at_risk" if "band" in field else 1}))
    }  # fmt: skip
    assert said == asked
    assert {one.name for one in OF_MODEL} == inputs.OF_MODEL.keys()
    assert {one.name for one in OF_INDEX} == inputs.OF_INDEX.keys()


def test_a_rules_own_words_come_first() -> None:
    said = letter(evidence(), title="needs a call", suggest="Call them today.", segments=("smb",))
    assert said.heading.startswith("Acme Ltd needs a call: health score 24")
    assert said.next_step == "Call them today."


def test_an_alert_of_a_rule_that_is_gone_is_told_all_the_same() -> None:
    said = letter_of(alert(evidence(), rule="gone"), rules())
    assert said.heading == "Acme Ltd: health score 24, down 19 in a week" and said.why == "Rule gone."


def test_a_user_who_is_stuck_is_told_with_the_next_step_to_send() -> None:
    signal = {
        "account_id": "acme", "user_id": "ann", "journey": "getting-started", "at": "2026-05-08T10:00:00Z",
        "position": "2", "stuck_since": "2026-05-07T09:30:00Z", "next_step": {"task": "2", "do": "offer help"},
        "trouble": {"yes": True, "why": ["failed task 2 3 times"]}, "traits": {"name": "Acme Ltd"},
    }  # fmt: skip
    said = letter(signal, When(stuck=Stuck(task="2")), suggest="The video helps most.")
    assert said.heading == "Acme Ltd has a user who is stuck: ann at task 2"
    assert dict(said.facts) == {
        "Account": "Acme Ltd (acme)", "Owner": "dana", "User": "ann", "Journey": "getting-started", "Task": "2",
        "In trouble since": "2026-05-07 09:30 UTC",
    }  # fmt: skip
    assert said.happened == ("failed task 2 3 times",)
    assert said.next_step == "Offer help with task 2. The video helps most."
    assert said.why == "Rule r: a user is stuck at task 2."


@pytest.mark.parametrize(
    ("rule", "heading"),
    [
        ("model-changed", "The model has changed to logistic@2: 10,000 accounts"),
        ("started", "Alerts have begun: 10,000 alerts held already"),
        ("undeliverable", "Alerts could not be delivered: 10,000 accounts"),
    ],
)
def test_the_operator_is_told_of_livelift_itself(rule: str, heading: str) -> None:
    notice = alert({"basis": "logistic@2", "accounts": 10_000}, rule, account_id="", owner=Owners().operator, at=T0)
    said = letter_of(notice, rules())
    assert said.heading == heading and said.link is None and said.next_step
    assert NUMBER.findall(" ".join((said.heading, *said.happened)).replace("logistic@2", "")) == ["10,000"] * 2


def test_a_digest_has_the_most_revenue_at_risk_first_and_says_how_many_wait() -> None:
    lost = {"a": 10.0, "b": 500.0, "c": None, "d": 70.0}
    alerts = [alert(evidence(revenue_at_risk=of), id=id_) for id_, of in lost.items()]
    found = digest_of(alerts, rules(), T0, waiting=1)
    assert [one.alert_id for one in found.letters] == ["b", "d", "a", "c"]
    assert (found.owner, found.date, found.rest) == ("dana", "2026-05-05", "1 more is waiting.")
    assert digest_of(alerts, rules(), T0).rest == "" and digest_of(alerts, rules(), T0, 2000).rest.startswith(
        "2,000 more"
    )


def test_a_digest_is_of_the_owners_day() -> None:
    east = Rules(hours=Hours(timezone="Pacific/Auckland"))
    assert digest_of([alert(evidence())], east, T0 + DAY // 2).date == "2026-05-06"


# -- names ---------------------------------------------------------------------------------------------------------------


@checked(300)
@given(st.text(max_size=80), st.text(max_size=80))
def test_names_can_neither_break_nor_turn_a_line(called: str, owner: str) -> None:
    said = letter_of(alert(evidence(traits={"name": called}), owner=owner), rules())
    for line in (said.heading, said.subject, said.owner, said.account, *(one.value for one in said.facts)):
        assert line.splitlines() == [line]
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066\u2067\u200e\u200f]", line)
        assert line.count(FIRST_STRONG) == line.count(END)
    assert len(said.subject) <= LONGEST_SUBJECT


def test_names_from_right_to_left_are_laid_out_by_themselves() -> None:
    said = letter(evidence(traits={"name": "שלום 12"}))
    assert said.heading == f"{FIRST_STRONG}שלום 12{END} is at risk: health score 24, down 19 in a week"
    assert name("Ærø 株式会社") == "Ærø 株式会社"


def test_only_subjects_cut_long_names_and_never_within_a_character() -> None:
    long = "Ö" * 39 + "e\u0301" + "x" * 300
    said = letter(evidence(traits={"name": long}))
    assert long in said.heading
    assert said.subject.startswith("Ö" * 38 + "…") or said.subject.startswith("Ö" * 39 + "…")
    assert short_name("👩\u200d🚀" * 30).removesuffix("…").count("👩") == short_name("👩\u200d🚀" * 30).count("🚀")
    assert subject(f"{FIRST_STRONG}{'ש' * 400}{END}").endswith(f"…{END}")


def test_an_account_without_a_name_is_called_by_its_id_and_links_are_quoted() -> None:
    nameless = alert(evidence(traits={}), account_id="a/b c?d")
    said = letter_of(nameless, rules())
    assert said.account == "a/b c?d" and dict(said.facts)["Account"] == "a/b c?d"
    assert said.link == "https://crm.example.com/accounts/a%2Fb%20c%3Fd"
    assert letter_of(nameless, Rules()).link is None


def test_what_rules_read_is_part_of_what_people_read() -> None:
    assert set(Score.__struct_fields__) <= set(Whole.__struct_fields__)
