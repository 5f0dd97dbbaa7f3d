"""Units made directly, without events and rows: what is true of one, and many of them put into an experiment's sums."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from models.arms import Asked, Unit, unit_of
from models.inference.moments import Encoded
from models.plan import Plan, PublishedPlan, read_plan
from models.product import Product
from models.readout.experiment import read
from models.readout.looks import NOTHING_SEEN, Looks
from models.subject import Subject
from models.tally import Clusters, Share, Tally, Total
from tests.support.build import Json, instant

NOBODY = Subject({}, {}, (), None, (), {}, (), {}, {}, {}, {}, None, ())
EXPERIMENT = """
[experiment]
id = "widget"
unit = "{unit}"
randomised_by = "{unit}"
control = "control"
arms = {{ control = {control}, test = {test} }}
starts_at = 2026-05-05T00:00:00Z
planned_units = {planned_units}
{more}
"""
METRIC = """
[[metric]]
name = "{name}"
role = "{role}"
window_days = {window}
{more}
"""


def metric(name: str, role: str = "secondary", window: float = 3, more: str = "") -> str:
    return METRIC.format(name=name, role=role, window=window, more=more)


def plan_of(*metrics: str, unit: str = "user", test: float = 0.5, planned_units: int = 200, more: str = "") -> Plan:
    """A plan with these metrics, the first of which is stated as primary."""
    control = round(1 - test, 9)
    head = EXPERIMENT.format(unit=unit, control=control, test=test, planned_units=planned_units, more=more)
    return read_plan(head + "".join(metrics))


def published(plan: Plan, **where: Any) -> PublishedPlan:
    return PublishedPlan(plan, plan.hash, **where)


def subject(arm: str = "test", at: int = instant(0), **facts: Any) -> Subject:
    """Somebody assigned to an arm of the experiment `widget`, of whom the rest of the facts is as given."""
    return NOBODY._replace(**{"assignments": {"widget": {arm: at}}, **facts})


def unit(one: Subject, plan: PublishedPlan, now: int, *others: PublishedPlan) -> Unit:
    found = unit_of(one, Asked(plan, others, Product()), now)
    assert found is not None
    return found


def share_of(plan: PublishedPlan, units: Iterable[tuple[str, Subject]], now: int) -> Share:
    """What units (account, facts) add up to: the sums of one partition, as they travel."""
    tally = Tally(plan.plan, now - Product().lateness)
    clusters: dict[str, Clusters] = defaultdict(dict)
    for account, one in units:
        tally.replace(clusters[account], None, unit(one, plan, now))
    return msgspec.json.decode(msgspec.json.encode(tally.share()), type=Share)


def alike(share: Share, times: int) -> Share:
    """The share of so many accounts that are each exactly like the one in `share`."""

    return Share(
        {
            group: {name: count * times for name, count in counts.items()}
            for group, counts in share.counts.items()
            if times
        },
        {
            name: Encoded(*([number * times for number in numbers] for numbers in one))
            for name, one in share.moments.items()
            if times
        },
        {name: [number * times for number in row] for name, row in share.times.items() if times},
    )


def reading(plan: PublishedPlan, shares: Sequence[Share], now: int, looks: Looks = NOTHING_SEEN) -> Json:
    """The experiment's snapshot from its partitions' shares."""
    return read(plan, Total(shares), looks, now)[0]
