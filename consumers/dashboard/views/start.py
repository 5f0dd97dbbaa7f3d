"""Today in words: who needs somebody first and why, and whether all is well."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from consumers.dashboard.views.account import reason
from consumers.dashboard.words import sentence
from models.alerts import figures

Json = Mapping[str, Any]
BEHIND = 1_000
"""Events not yet read from which it is said that what is shown lags behind."""


class First(NamedTuple):
    """An account of the capacity list. since: the day from which on it has been in its band. why: what pulls its score
    down most."""

    account_id: str
    name: str | None
    owner: str | None
    band: str
    since: str | None
    score: float
    change: float | None
    revenue_at_risk: float | None
    why: str


def first(entries: Sequence[Json], accounts: Sequence[Json | None]) -> list[First]:
    """The first of the capacity list, with what their own snapshots say."""
    return [_first(one, account or {}) for one, account in zip(entries, accounts, strict=True)]


def _first(entry: Json, account: Json) -> First:
    return First(
        entry["account_id"], entry["name"], entry["owner"], entry["band"], account.get("band_since"), entry["score"],
        account.get("change_7d"), entry["revenue_at_risk"], reason(account),
    )  # fmt: skip


class Said(NamedTuple):
    """What an experiment says by now. verdict: None while it is too early. because: as a sentence."""

    experiment: str
    hypothesis: str
    verdict: str | None
    because: str


def said(headline: Json) -> Said:
    """A line of `experiments`; of one whose rows are still being read there is no more than why."""
    decision = headline.get("decision") or {}
    because = decision.get("because") or headline.get("because") or ""
    return Said(headline["experiment"], headline.get("hypothesis") or "", decision.get("verdict"), sentence(because))


def lag_of(quality: Json) -> int:
    """How many events are not read yet; a replay has none."""
    return sum((quality.get("lag") or {}).values())


class Worry(NamedTuple):
    """Something that is not well: in words, and where more of it is told."""

    says: str
    where: str


def worries(
    quality: Json | None, model: Json | None, experiments: Sequence[Json], undeliverable: int
) -> Iterator[Worry]:
    """What is not well with livelift itself; nothing where all is."""
    told = quality or {}
    refused, lag = sum((told.get("refused") or {}).values()), lag_of(told)
    if refused:
        share = refused / (refused + told.get("accepted", 0))
        yield Worry(f"{figures.count(refused, 'event')} refused, {figures.percent(share)} of all that came", "/system")
    if lag > BEHIND:
        yield Worry(f"{figures.count(lag, 'event')} not read yet: what is shown lags behind", "/system")
    if told.get("ignored"):
        kinds = figures.count(len(told["ignored"]), "kind")
        yield Worry(f"{kinds} of foreign events ignored, since no mapping names them", "/system")
    flagged = ((model or {}).get("drift") or {}).get("flagged") or []
    if flagged:
        yield Worry(
            f"{figures.count(len(flagged), 'input')} of the score drifted from what the model has learned", "/model"
        )
    for one in experiments:
        decision = one.get("decision") or {}
        if decision.get("verdict") == "unhealthy":
            yield Worry(f"experiment {one['experiment']} is not to be trusted: {decision['because']}", "/experiments")
    if undeliverable:
        yield Worry(f"{figures.count(undeliverable, 'alert')} could not be delivered", "/alerts?state=undeliverable")
