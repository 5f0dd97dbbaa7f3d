"""`alerts.toml`: which movements somebody in customer success hears of, who that is, when, and by which channel."""

import re
from collections.abc import Iterable, Sequence
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Text = Annotated[str, Meta(max_length=500)]
BandName = Literal["healthy", "watch", "at_risk"]
Count = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=1, le=365)]
Hour = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Stuck(Struct, frozen=True, forbid_unknown_fields=True):
    """A user in trouble on a journey (any, if none is named), at one task or at any. After how long an open task counts
    as trouble is the journey's `stuck_after_hours`."""

    journey: str | None = None
    task: str | None = None


class When(Struct, frozen=True, forbid_unknown_fields=True):
    """What has to hold, all of it. The fields are described in docs/guides/alerts.md, which lists every one."""

    band: tuple[BandName, ...] | BandName | None = None
    left_band: BandName | None = None
    score_below: Annotated[float, Meta(gt=0, le=100)] | None = None
    drop: Annotated[float, Meta(gt=0, le=100)] | None = None
    within_days: Annotated[int, Meta(ge=1, le=7)] = 7
    probability_below: Annotated[float, Meta(gt=0, le=1)] | None = None
    revenue_at_risk: Annotated[float, Meta(gt=0)] | None = None
    champion_gone_days: Annotated[int, Meta(ge=1, le=28)] | None = None
    trained_gone_days: Annotated[int, Meta(ge=1, le=28)] | None = None
    tickets_open: Count | None = None
    payments_failed: Count | None = None
    on_capacity_list: Literal[True] | None = None
    stuck: Stuck | None = None

    @property
    def bands(self) -> tuple[str, ...]:
        if self.band is None:
            return ()
        return (self.band,) if isinstance(self.band, str) else self.band


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule. title: what is said of the account, after its name. suggest: the next step. segments: only accounts
    whose trait `segment` is one of these. cooldown_days: after an alert was told, the next episode of it is not told
    again for so long. channels: only these; none means all that the owner has."""

    id: Id
    when: When
    title: Text = ""
    suggest: Text = ""
    segments: tuple[str, ...] = ()
    deliver: Literal["at once", "digest"] = "at once"
    cooldown_days: Annotated[float, Meta(ge=0, le=365)] = 14.0
    channels: tuple[Id, ...] = ()

    @property
    def reads_signals(self) -> bool:
        return self.when.stuck is not None


class Owners(Struct, frozen=True, forbid_unknown_fields=True):
    """fallback: who hears of accounts without an owner. operator: who hears what concerns livelift itself."""

    fallback: Annotated[str, Meta(min_length=1)] = "customer-success"
    operator: Annotated[str, Meta(min_length=1)] = "operator"


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one account at most so many alerts are told in so many days; further ones stand on the page only."""

    per_account: Count = 3
    days: Days = 7


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """When owners are not disturbed, and when their digest comes, by the clock of a time zone."""

    timezone: str = "UTC"
    quiet_from: Hour | None = None
    quiet_until: Hour | None = None
    quiet_days: tuple[Weekday, ...] = ()
    digest_at: Hour = "08:00"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def quiet(self) -> tuple[time, time] | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)


class Channel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way to reach people. url: as apprise writes it, or `https://...` with a secret for a webhook of one's own that
    is signed. `${NAME}` stands for a variable of the environment. owners: whose alerts go there; none means all."""

    id: Id
    url: Annotated[str, Meta(min_length=1)]
    secret: str | None = None
    owners: tuple[str, ...] = ()


class Rules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of `alerts.toml`. account_page: address of an account's page, with `{account_id}`."""

    rule: tuple[Rule, ...] = ()
    channel: tuple[Channel, ...] = ()
    owners: Owners = Owners()
    limits: Limits = Limits()
    hours: Hours = Hours()
    account_page: str = ""

    def of_scores(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rule if not rule.reads_signals)

    def of_signals(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rule if rule.reads_signals)

    def named(self, id_: str) -> Rule | None:
        return next((rule for rule in self.rule if rule.id == id_), None)

    def channels_of(self, owner: str, only: Sequence[str] = ()) -> tuple[str, ...]:
        """The channels by which an owner is reached. The operator's are those that name the operator, else all."""
        mine = [one.id for one in self.channel if owner in one.owners]
        anybody = [one.id for one in self.channel if not one.owners]
        found = (mine or anybody) if owner == self.owners.operator else [
            one.id for one in self.channel if one.id in mine or one.id in anybody
        ]  # fmt: skip
        return tuple(id_ for id_ in found if not only or id_ in only)


class RulesError(ValueError):
    """`alerts.toml` is wrong; the message names the line and the field, and what was expected there."""


def read_rules(text: str) -> Rules:
    """Parse `alerts.toml`; raises RulesError with the line that is wrong."""
    try:
        given = msgspec.toml.decode(text)
        rules = msgspec.convert(given, Rules)
    except msgspec.ValidationError as error:
        said, _, path = str(error).rpartition(" - at ")
        where = path.strip("`") if said else "$"
        raise RulesError(f"line {line_of(text, where, said or str(error))}: {said or error} (at {where})") from error
    except msgspec.DecodeError as error:
        raise RulesError(str(error)) from error
    for path, complaint in _wrong(rules):
        raise RulesError(f"line {line_of(text, path)}: {complaint}")
    return rules


def _wrong(rules: Rules) -> Iterable[tuple[str, str]]:
    """What no type says: the path and the complaint."""
    for kind, ids in (("rule", [one.id for one in rules.rule]), ("channel", [one.id for one in rules.channel])):
        for at, id_ in enumerate(ids):
            if id_ in ids[:at]:
                yield f"$.{kind}[{at}].id", f"two {kind}s are called {id_!r}"
    channels = {one.id for one in rules.channel}
    for at, rule in enumerate(rules.rule):
        asked = [name for name in rule.when.__struct_fields__ if name != "within_days" and _given(rule.when, name)]
        if not asked:
            yield f"$.rule[{at}].when", f"rule {rule.id!r} has no condition"
        if rule.when.stuck is not None and len(asked) > 1:
            others = ", ".join(name for name in asked if name != "stuck")
            yield f"$.rule[{at}].when", f"rule {rule.id!r}: stuck is about a user and cannot be joined with {others}"
        if rule.reads_signals and rule.segments:
            yield f"$.rule[{at}].segments", f"rule {rule.id!r}: signals of users do not tell an account's segment"
        for name in rule.channels:
            if name not in channels:
                yield f"$.rule[{at}].channels", f"rule {rule.id!r} names channel {name!r}, which is not there"
    try:
        ZoneInfo(rules.hours.timezone)
    except (KeyError, ValueError):
        yield "$.hours.timezone", f"there is no time zone {rules.hours.timezone!r} (write it as in Europe/Berlin)"
    if (rules.hours.quiet_from is None) != (rules.hours.quiet_until is None):
        yield "$.hours.quiet_from", "quiet_from and quiet_until belong together"
    if rules.account_page and "{account_id}" not in rules.account_page:
        yield "$.account_page", "account_page has to hold {account_id}"


def _given(when: When, name: str) -> bool:
    return getattr(when, name) is not None


STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")
UNKNOWN = re.compile(r"unknown field `([^`]+)`")


def line_of(text: str, path: str, said: str = "") -> int:
    """The line of a TOML text that a path such as `$.rule[1].when.drop` leads to, or the nearest around it. said: what
    is complained of, which may name a field that the path does not."""
    steps = [name or int(number) for name, number in STEP.findall(path)]
    unknown = UNKNOWN.search(said)
    if unknown:
        steps.append(unknown[1])
    names = [str(step) for step in steps if not isinstance(step, int)]
    lines = text.splitlines()
    first, last = _table(lines, names[0] if names else "", next((one for one in steps if isinstance(one, int)), 0))
    for name in reversed(names):
        for number in range(first, last):
            if re.search(rf"(^|[\[{{,.\s]){re.escape(name)}[\"']?\s*(=|\.|\]$)", lines[number].split("#")[0]):
                return number + 1
    return first + 1


def _table(lines: Sequence[str], name: str, at: int) -> tuple[int, int]:
    """The lines of the at-th `[[name]]`, or of `[name]`, sub-tables included; of the head where there is none."""
    begins = [number for number, line in enumerate(lines) if re.match(rf"\s*\[\[?\s*{re.escape(name)}\s*\]", line)]
    if not name or not begins:
        return 0, len(lines)
    first, own = begins[min(at, len(begins) - 1)], re.compile(rf"\s*\[\[?\s*{re.escape(name)}\.")
    headers = (n for n in range(first + 1, len(lines)) if re.match(r"\s*\[", lines[n]) and not own.match(lines[n]))
    return first, next(headers, len(lines))
