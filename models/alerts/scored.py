"""What an alert on a score says."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from models.alerts import figures, phrases
from models.alerts.alert import Alert
from models.alerts.evidence import MODEL_CHANGED, Score, instant_of
from models.alerts.inputs import meaning_of
from models.alerts.letter import Fact, Letter, Pull, page_of, whose
from models.alerts.names import Name, name, short_name, subject
from models.alerts.rules import Rule, Rules
from models.basis import HEURISTIC
from models.index import WEEK
from models.signs import MOST_GONE

DRIVERS_TOLD = 3
GONE_FROM = 7
"""Days without being there that are an absence."""
CAME = {"time passed": "nothing came, and time passed", MODEL_CHANGED: "the model has learned"}


class Driver(Struct, frozen=True):
    """One part of a score, as its message tells it."""

    feature: str
    contribution: float
    value: float | None = None
    typical: tuple[float, float] | None = None
    change_7d: float | None = None


class Whole(Score, frozen=True):
    """A score message with what people read of it and rules do not."""

    name: str = "health score"
    band_since: str | None = None
    probability_interval: tuple[float, float] | None = None
    revenue_at_risk_interval: tuple[float, float] | None = None
    mrr: float | None = None
    because: str | None = None
    drivers: tuple[Driver, ...] = ()


def of_score(alert: Alert, rule: Rule, rules: Rules) -> Letter:
    """What an alert on a score says."""
    score = msgspec.convert(alert.evidence, Whole)
    called = score.trait("name") or alert.account_id
    drivers = tuple(_pulls(score))
    return Letter(
        alert_id=alert.id,
        episode=alert.episode,
        rule=alert.rule,
        account_id=alert.account_id,
        account=name(called),
        owner=name(alert.owner),
        heading=_heading(score, rule, name(called)),
        subject=subject(_heading(score, rule, short_name(called))),
        facts=tuple(_facts(alert, score, rules)),
        note=_note(score),
        drivers=drivers,
        happened=tuple(dict.fromkeys(_came(cause.type) for cause in score.causes)),
        signs=tuple(signs_in_words(score)),
        next_step=_step(rule, score, drivers),
        link=page_of(alert.account_id, rules),
        why=_why(rule, score),
        at=figures.moment(instant_of(score.at), rules.hours),
    )


def _heading(score: Whole, rule: Rule, called: Name) -> str:
    said = rule.title or " and ".join(phrase.title(rule.when, score) for phrase in phrases.of_rule(rule, score))
    moved = _moved(score)
    of = f"{score.name} {figures.score(score.score)}{f', {moved}' if moved else ''}"
    return f"{called} {name(said)}: {of}" if said else f"{called}: {of}"


def _moved(score: Score) -> str:
    """How the score differs from the close a week ago; empty without a comparable one."""
    drop = score.drop(WEEK)
    if drop is None:
        return ""
    size = figures.points(drop)
    return "as a week ago" if size == "0" else f"{'down' if drop > 0 else 'up'} {size} in a week"


def _facts(alert: Alert, score: Whole, rules: Rules) -> Iterator[Fact]:
    yield from whose(alert, score.trait("name") or alert.account_id)
    yield Fact(score.name.capitalize(), f"{figures.score(score.score)} of 100")
    since = "" if score.band_since is None else f" since {score.band_since}"
    yield Fact("Band", f"{phrases.band(score.band)}{since}")
    before = phrases.close_before(score, WEEK)
    if before is not None:
        yield Fact("A week ago", f"{figures.score(before[1])}; {_moved(score)}")
    if score.basis == HEURISTIC:
        return
    if score.probability is not None:
        between = _between(score.probability_interval, figures.percent)
        yield Fact("Probability of a good end", f"{figures.percent(score.probability)}{between}")
    if score.revenue_at_risk is not None:
        of = "" if score.mrr is None else f" of {figures.money(score.mrr)}"
        between = _between(score.revenue_at_risk_interval, figures.money)
        yield Fact("Revenue at risk", f"{figures.money(score.revenue_at_risk)}{of} a month{between}")


def _note(score: Whole) -> str:
    """Why there is no probability; empty where there is one."""
    return f"No probability is told, and no revenue at risk: {name(score.because or 'unknown')}." \
        if score.basis == HEURISTIC else ""  # fmt: skip


def _between(interval: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    return "" if interval is None else f", between {written(interval[0])} and {written(interval[1])}"


def _pulls(score: Whole) -> Iterator[Pull]:
    """The drivers that pull the score down most, as far as it shows."""
    told = (one for one in score.drivers if one.contribution < 0 and figures.points(one.contribution) != "0")
    down = sorted(told, key=lambda one: one.contribution)
    for one in down[:DRIVERS_TOLD]:
        label, unit = meaning_of(one.feature, score.basis)
        yield Pull(
            label=label,
            value="not known" if one.value is None else figures.amount(one.value, unit),
            typical="" if one.typical is None else figures.bounds(*one.typical, unit),
            change="" if one.change_7d is None else figures.moved(one.change_7d, unit),
            points=figures.signed_points(one.contribution),
        )


def _came(kind: str) -> str:
    return CAME.get(kind) or name(kind.replace("_", " "))


def signs_in_words(score: Score) -> Iterator[str]:
    signs = score.signs
    for days, who in ((signs.champion_gone_days, "champion"), (signs.trained_gone_days, "trained user")):
        if days is not None and days >= GONE_FROM:
            yield f"No {who} was active for {figures.count(days, 'day')}{' or more' if days >= MOST_GONE else ''}"
    if signs.tickets_open:
        yield f"{figures.count(signs.tickets_open, 'ticket')} open"
    if signs.payments_failed:
        yield f"{figures.count(signs.payments_failed, 'payment')} failed since one last succeeded"


def _step(rule: Rule, score: Score, drivers: tuple[Pull, ...]) -> str:
    """What to do next: what the rule suggests, else what its conditions do, else to ask about the worst driver."""
    if rule.suggest:
        return name(rule.suggest)
    told = next((phrase.step for phrase in phrases.of_rule(rule, score) if phrase.step), "")
    if told or not drivers:
        return told or "Ask them how it goes."
    worst = drivers[0].label.partition(" (")[0]
    return f"Ask them about what pulls the score down most: {worst[0].lower()}{worst[1:]}."


def _why(rule: Rule, score: Score) -> str:
    said = [phrase.why(rule.when, score) for phrase in phrases.of_rule(rule, score)]
    if rule.segments:
        said.append(f"its segment is {name(score.trait('segment') or '')}")
    return f"Rule {rule.id}: {', and '.join(said)}." if said else f"Rule {rule.id}."
