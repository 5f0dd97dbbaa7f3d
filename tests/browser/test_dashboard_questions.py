"""Questions that people in customer success ask, answered from what a screen reader is told, two clicks away at most.

What is to be said is worked out from the snapshots in Redis; of the pages nothing is known but roles and names.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from consumers.alerts.shown import shown as alert_shown
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.replay import replay
from livelift.screens import shown
from livelift.surroundings import product_of
from models.alerts.alert import Alert
from models.alerts.inputs import meaning_of
from models.clock import DAY
from models.keys import account_key, history_key
from models.simulation import simulate
from tests.support import accounts_shown

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
MOST = 2
"""Clicks from the start page."""
WIDGET = "getting-started-widget"
VERDICTS = {"keep_running": "Keep running", "double_down": "Roll out", "pivot": "Change approach",
            "unhealthy": "Do not trust yet"}  # fmt: skip
BANDS = {"healthy": "Healthy", "watch": "Watch", "at_risk": "At risk"}
STATES = "open", "open", "acknowledged", "snoozed"


# -- what there is -----------------------------------------------------------------------------------------------------


class House(NamedTuple):
    """Dashboards over figures that are well and over such that are not, and what Redis holds for each."""

    well: str
    unwell: str
    held: dict[str, Any]
    worse: dict[str, Any]
    histories: dict[str, list[Any]]

    def account(self, place: int) -> dict[str, Any]:
        """An account by its place on the capacity list."""
        return self.held[account_key(self.held["at-risk"]["accounts"][place]["account_id"])]


def recorded(folder: Path) -> dict[str, Any]:
    """Snapshots of accounts with a model that has learned, and of an experiment on a widget."""
    write_exercise(simulate(customers=120, seed=1), folder / "trial")
    trial = open_recording(folder / "trial")
    assert trial.config is not None
    widget = {key: one for key, one in replay(trial, product_of(trial.config)).items() if key.startswith("experiment")}
    held = {**accounts_shown.shown(folder / "accounts"), **widget}
    accounts = [held[account_key(one["account_id"])] for one in held["at-risk"]["accounts"]]
    alerts = {f"a{number}": alert(f"a{number}", one, STATES[number % 4]) for number, one in enumerate(accounts)}
    now = datetime.now(UTC).isoformat()
    of_accounts = {one["account_id"]: [id_] for id_, one in alerts.items()}
    rules = {"as_of": held["quality"]["as_of"], "rules": [], "open": len(alerts), "closed": 0, "undeliverable": 0}
    of_alerts = {"alerts:open": alerts, "alerts:accounts": of_accounts, "alerts:rules": rules}
    return {**held, **of_alerts, "quality": {**held["quality"], "published_at": now}}


def alert(id_: str, account: dict[str, Any], state: str) -> Any:
    owner = account["traits"].get("owner", "customer-success")
    return json.loads(json.dumps(alert_shown(
        Alert(id=id_, account_id=account["account_id"], rule="at-risk", reason="at_risk", state=state, at=5 * DAY,
              episode=1, opened_at=4 * DAY, owner=owner, evidence=account), 5 * DAY)))  # fmt: skip


def gone_wrong(quality: dict[str, Any]) -> dict[str, Any]:
    long_ago = datetime.now(UTC) - timedelta(hours=3, minutes=4)
    return {**quality, "published_at": long_ago.isoformat(), "refused": {"out_of_range": 40, "not_json": 2},
            "lag": {"product-events": 5000}}  # fmt: skip


def earlier(account: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores before the present one: another one, and one that differs from the present in nothing."""
    first, *others = account["drivers"]
    moved = {**first, "contribution": first["contribution"] + 6.0}
    higher = {"score_id": "higher", "at": "2026-05-18T09:00:00Z", "score": account["score"] + 6.0}
    return [{**account, **higher, "drivers": [moved, *others]},
            {**account, "score_id": "same", "at": "2026-05-19T10:00:00Z"}]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("questions")
    held = recorded(folder)
    worse = {**held, "quality": gone_wrong(held["quality"])}
    first = held[account_key(held["at-risk"]["accounts"][0]["account_id"])]
    histories = {history_key(first["account_id"]): [*earlier(first), first]}
    with shown(folder / "redis", {"well": held, "unwell": worse}, histories) as bases:
        yield House(**bases, held=held, worse=worse, histories=histories)


# -- who asks ----------------------------------------------------------------------------------------------------------


class Reader:
    """Somebody at the start page who hears what is there, and follows links by what they are called."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.clicks = page, 0
        page.goto(base)

    def follow(self, link: str | re.Pattern[str], role: str, name: str) -> None:
        """A click on a link in something that has a role and a name."""
        assert self.clicks < MOST, f"{link} would be a click too many"
        self.clicks += 1
        of = self.page.get_by_role(role, name=name, exact=True)
        with self.page.expect_event("load"):
            of.get_by_role("link", name=link, exact=isinstance(link, str)).click()

    def section(self, link: str) -> None:
        self.follow(link, "navigation", "Sections")

    def first_account(self, name: str) -> None:
        self.follow(name, "region", "Who needs you first, and why")

    def hears(self, role: str, name: str | None = None) -> str:
        """What the accessibility tree has of it, as one line."""
        return told(self.page.get_by_role(role, name=name, exact=True).first.aria_snapshot())

    def hears_each(self, role: str, of: str) -> list[str]:
        """The same of each thing in a region."""
        found = self.page.get_by_role("region", name=of, exact=True).get_by_role(role).all()
        return [told(one.aria_snapshot()) for one in found]

    def hears_rows(self, of: str) -> list[str]:
        """The rows of a table in a region, without its head."""
        rows = self.page.get_by_role("region", name=of, exact=True).get_by_role("row").all()
        return [told(one.aria_snapshot().splitlines()[0]) for one in rows[1:]]


NODE = re.compile(r'(?P<role>[a-z]+)(?: "(?P<name>(?:\\.|[^"\\])*)")?(?: \[[^\]]*\])*(?::(?: (?P<text>.*))?)?')


def told(snapshot: str) -> str:
    """The names and texts of an accessibility tree as Playwright writes it (YAML), in their order."""
    words = []
    for line in snapshot.splitlines():
        node = line.strip().removeprefix("- ")
        quoted = re.fullmatch(r"'((?:[^']|'')*)'(:.*)?", node)
        if quoted:
            node = quoted[1].replace("''", "'") + (quoted[2] or "")
        found = NODE.fullmatch(node)
        if found is not None:  # else an attribute, as /url
            text = found["text"] or ""
            words += [found["name"] or "", json.loads(text) if text.startswith('"') else text]
    return re.sub(r" (?=[,.:;)])", "", " ".join(" ".join(words).split()))


@pytest.fixture
def reader(chromium: Any, house: House) -> Iterator[Reader]:
    with chromium.new_context(locale="en-GB", timezone_id="UTC") as context:
        yield Reader(context.new_page(), house.well)


def day(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%b %Y}"


def test_a_click_too_many_is_noticed(reader):
    for _ in range(MOST):
        reader.section("Accounts")
    with pytest.raises(AssertionError, match="a click too many"):
        reader.section("Accounts")


# -- what they ask -----------------------------------------------------------------------------------------------------


def test_who_needs_me_first_and_why(reader, house):
    scored = [one for key, one in house.held.items() if key.startswith("account:") and not one["event_has_come"]]
    first = min(scored, key=lambda one: one["probability"])
    worst = min(first["drivers"], key=lambda one: one["contribution"])
    said = reader.hears_each("listitem", "Who needs you first, and why")[0]
    assert said.startswith(f"{first['traits']['name']} {BANDS[first['band']]} since {day(first['band_since'])},")
    assert f"{first['score']:.0f} of 100" in said and f"owner {first['traits']['owner']}." in said
    why, points = re.search(r"Lowered most by (.*) \(−(\d+) points\)", said).groups()
    assert why.startswith(meaning_of(worst["feature"], first["basis"]).label.split(" (")[0])
    assert float(points) == pytest.approx(-worst["contribution"], abs=0.51)


def test_is_the_widget_working(reader, house):
    found = house.held[f"experiment:{WIDGET}"]
    verdict = VERDICTS[found["decision"]["verdict"]]
    (said,) = reader.hears_each("listitem", "What experiments say")
    assert said.startswith(f"{WIDGET}: {verdict}.")
    reader.follow(WIDGET, "region", "What experiments say")
    said, effect = reader.hears("main"), found["metrics"]["converted"]["itt"]
    assert f"{WIDGET} {found['plan']['experiment']['hypothesis']} {verdict} Converted:" in said
    estimate, low, high = (f"{100 * value:+.3g}".replace("-", "−") for value in (effect["estimate"], *effect["cs"]))
    assert f"Effect of being offered help {estimate} points Converted: {low} to {high} points" in said
    assert ("Zero, no effect, is still possible" in said) == (effect["cs"][0] < 0 < effect["cs"][1])


def since_when(account: dict[str, Any]) -> str | None:
    """The last top of the longest run up to now within which nothing rose by more than a point; None if it is now."""
    scores = [*account["closes"], [account["at"], account["score"]]]
    runs = (scores[start:] for start in range(len(scores)))
    run = next(run for run in runs if all(b - a <= 1 for at, (_, a) in enumerate(run) for _, b in run[at:]))
    top = max(score for _, score in run)
    return None if top - account["score"] < 1 else [at for at, score in run if score == top][-1]


@pytest.mark.parametrize("place", [0, 2, 4])
def test_since_when_is_this_account_falling(reader, house, place):
    account = house.account(place)
    reader.first_account(account["traits"]["name"])
    said, since = reader.hears("main"), since_when(account)
    assert f"In this band since {day(account['band_since'])}" in said
    if since is None:
        assert "It is not falling." in said
    else:
        at_least = "at least " if since == account["closes"][0][0] else ""
        assert f"Falling since {at_least}{day(since)}" in said


def test_one_of_them_falls_and_one_does_not(house):
    assert since_when(house.account(0)) and since_when(house.account(2)) and not since_when(house.account(4))


def test_what_changed_this_accounts_score_last(reader, house):
    account = house.account(0)
    before, same, now = house.histories[history_key(account["account_id"])]
    (moved,) = (was for was, one in zip(before["drivers"], now["drivers"], strict=True) if was != one)
    reader.first_account(account["traits"]["name"])
    said = reader.hears("region", "What changed it last")
    assert account["causes"] == [{"type": "time passed"}] and f"{day(now['at'])}, 17:00 UTC: nothing came" in said
    assert f"It changed last {day(same['at'])}, 10:00 UTC: it fell from {before['score']:.1f}" in said
    assert f"to {now['score']:.1f}: {meaning_of(moved['feature'], account['basis']).label} −6." in said


def test_who_is_stuck_where_and_what_do_i_do_next(reader, house):
    stuck = [one for key, held in house.held.items() if key.startswith("journeys:") for one in held.values()
             if one["trouble"]["yes"]]  # fmt: skip
    reader.section("Education")
    rows = reader.hears_rows("Stuck users")
    assert rows and f"{len(stuck)} users; page 1 of" in reader.hears("region", "Stuck users")
    longest = sorted(stuck, key=lambda one: (one["stuck_since"], one["account_id"]))[: len(rows)]
    for row, one in zip(rows, longest, strict=True):
        name, where = house.held[account_key(one["account_id"])]["traits"]["name"], f"task {one['position']}"
        assert row.startswith(f"{one['user_id']} {name} {where} of {one['journey']} {day(one['stuck_since'])}")
        assert row.endswith(f"Offer help with task {one['next_step']['task']}")


def test_which_open_alerts_are_mine(reader, house):
    mine = [one for one in house.held["alerts:open"].values() if one["owner"] == "olga"]
    reader.section("Alerts")
    reader.follow(re.compile(r"^olga \("), "navigation", "Owner")
    said = reader.hears_each("article", f"{len(house.held['alerts:open'])} open")
    assert len(said) == len(mine) > 1 and reader.clicks == MOST
    for one in mine:
        names = f"{one['state'].capitalize()} {one['evidence']['traits']['name']}: {one['rule']}"
        assert sum(names in text and "Owner olga" in text for text in said) == 1


def test_who_of_this_account_is_trained(reader, house):
    account = house.account(0)
    training = account["training"]
    reader.first_account(account["traits"]["name"])
    said = reader.hears("region", "Training")
    share = f"{100 * training['trained'] / training['users']:.3g} %"
    assert f"Trained users {training['trained']} of {training['users']} users ({share})" in said
    assert 0 < training["trained"] < training["users"] and f"completed on {training['last_lesson']}" in said
    assert f"nobody who completed a lesson was active for {account['signs']['trained_gone_days']} days" in said


def test_how_many_of_our_accounts_have_somebody_who_is_trained(reader, house):
    months = house.held["education"]["coverage"]
    reader.section("Education")
    rows = reader.hears_rows("Accounts with an active user, of whom one is trained; active users who are")
    assert len(rows) == len(months)
    for row, month in zip(rows, months, strict=True):
        accounts, users = month["accounts"], month["users"]
        parts = (accounts["with_trained_user"], accounts["active"]), (users["trained"], users["active"])
        assert row == " ".join([month["month"], *(f"{part} of {of} ({100 * part / of:.0f} %)" for part, of in parts)])


def test_can_i_trust_what_i_see(reader, house):
    assert not house.held["quality"]["refused"]
    said = reader.hears("region", "Is all well?")
    assert f"All is well {house.held['quality']['accepted']:,} events read, none refused, 0 waiting." in said
    reader.page.goto(house.unwell)
    told_, accepted = house.worse["quality"], house.worse["quality"]["accepted"]
    refused, waiting = sum(told_["refused"].values()), sum(told_["lag"].values())
    assert "What you see is old: nothing has been published for 3 hours" in reader.hears("status")
    said = reader.hears("region", "Is all well?")
    assert f"{refused} events refused, {100 * refused / (refused + accepted):.3g} % of all that came" in said
    assert f"{waiting:,} events not read yet" in said and "All is well" not in said
    reader.follow(re.compile("refused"), "region", "Is all well?")
    rows = reader.hears_rows("Refused events by reason")
    assert len(rows) == len(told_["refused"])
    for reason, count in told_["refused"].items():
        assert sum(f" {reason} {count} " in row for row in rows) == 1
