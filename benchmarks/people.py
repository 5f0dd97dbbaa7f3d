"""Experiments to publish and made-up people in them: the partitions' sums of 1,000 units, and of 10 million.

Units are made up as facts and read by the core, so that their sums are what a scorer would send. Ten million units are
20,000 such units whose sums are merged 500 times by the publisher's own merging: every integer is as large, and every
counter there, as if so many had come, in seconds instead of an hour.
"""

import random
from typing import NamedTuple

from models.arms import Asked, Unit, unit_of
from models.clock import DAY, HOUR
from models.plan import PublishedPlan, read_plan
from models.product import Product
from models.rows import Help, TaskFacts
from models.subject import Subject
from models.tally import Share, Tally, Total

PARTITIONS = 12
SEGMENTS = ("retail", "services", "trades")
DAYS = 60
"""Units are assigned over so many days, at the end of which the experiment is read: about half of them are mature."""
NEWCOMERS = 20
"""Units of a partition that come between two pulses in which everything changes."""
AMOUNTS = {True: "outcome:spend", False: "mrr"}
"""The secondary metric, by whether it is one that events of mere usage may change."""
PLAN = """\
[experiment]
id = "{id}"
hypothesis = "Offering help when somebody is stuck raises conversion"
unit = "{unit}"
control = "control"
arms = {{ control = 0.5, test = 0.5 }}
starts_at = 2026-03-01T00:00:00Z
planned_units = 1000
uptake = {{ type = "help_engaged", source = "CS" }}
covariates = ["employees"]
segments = ["segment"]
[[metric]]
name = "converted"
role = "primary"
window_days = {days}
minimum_effect = 0.05
[[metric]]
name = "{amount}"
role = "secondary"
window_days = {days}
[[metric]]
name = "retained"
role = "guardrail"
window_days = {days}
margin = 0.02
"""


def plans_of(
    count: int, unit: str = "account", days: float = 30, usage: bool = True, first: int = 0
) -> dict[str, PublishedPlan]:
    """So many running experiments by id: a 0/1 primary, an amount, a guardrail, a covariate, a segment trait."""
    found = {}
    for number in range(first, first + count):
        id_ = f"experiment-{number:04d}"
        plan = read_plan(PLAN.format(id=id_, unit=unit, days=days, amount=AMOUNTS[usage]))
        found[id_] = PublishedPlan(plan, plan.hash, place=number + 1, level=0.05 / (number + 1))
    return found


class Sizes(NamedTuple):
    """How many units there are of different kind, and how often their sums are merged."""

    units: int
    merged: int

    @property
    def total(self) -> int:
        return self.units * self.merged


SMALL, LARGE = Sizes(1_000, 1), Sizes(20_000, 500)


class Sums(NamedTuple):
    """An experiment's shares by partition at four moments, for a publisher to go to and fro between.

    held: what it has. all_moved: newcomers in every partition. one_moved: one newcomer, in the first partition only.
    """

    now: int
    held: tuple[Share, ...]
    all_moved: tuple[Share, ...]
    one_moved: Share


def sums_of(sizes: Sizes, seed: int) -> Sums:
    """The sums of made-up people, each an account of its own."""
    (published,) = plans_of(1).values()
    now = published.begins + DAYS * DAY
    draw = random.Random(seed)
    asked = Asked(published, (), Product())

    def unit() -> Unit:
        found = unit_of(person(draw, published), asked, now)
        assert found is not None
        return found

    tallies = [Tally(published.plan, now - HOUR) for _ in range(PARTITIONS)]
    for number in range(sizes.units):
        tallies[number % PARTITIONS].replace({}, None, unit())
    held = tuple(tally.share() for tally in tallies)
    rest = tuple(many(share, sizes.merged - 1) for share in held)
    tallies[0].replace({}, None, unit())
    one_moved = tallies[0].share()
    for tally in tallies:
        for _ in range(NEWCOMERS):
            tally.replace({}, None, unit())
    moved = tuple(tally.share() for tally in tallies)
    return Sums(
        now,
        tuple(map(both, rest, held)),
        tuple(map(both, rest, moved)),
        both(rest[0], one_moved),
    )


def person(draw: random.Random, published: PublishedPlan) -> Subject:
    """Somebody who tries three tasks, may get help from either side, may pay, and spends something or nothing."""
    at = published.begins + draw.randrange(DAYS * DAY)
    arm = draw.choice(list(published.plan.experiment.arms))
    tasks, then = {}, at
    for task in "123":
        then += draw.randrange(3 * DAY)
        done = then + draw.randrange(2 * DAY) if draw.random() < 0.7 else None
        tasks[task] = TaskFacts(started=then, completed=done)
    helps = (Help(at + draw.randrange(30 * DAY), draw.choice(("CS", "OTHER"))) for _ in range(draw.randrange(3)))
    spent = {at + draw.randrange(30 * DAY): round(1e6 * draw.lognormvariate(3, 1))} if draw.random() < 0.9 else {}
    traits = {"employees": float(draw.randrange(1, 5000)), "segment": draw.choice(SEGMENTS)}
    return Subject(
        assignments={published.plan.id: {arm: at}},
        exposures={published.plan.id: [at]},
        helps=tuple(sorted(helps)),
        converted_at=at + draw.randrange(40 * DAY) if draw.random() < 0.3 else None,
        churns=(at + 10 * DAY,) if draw.random() < 0.05 else (),
        tasks=tasks,
        needs=(),
        traits={name: [(at - HOUR, value)] for name, value in traits.items()},
        first_uses={},
        mrrs={},
        dated={AMOUNTS[True]: spent},
        trial_at=at,
        people=(),
    )


def many(share: Share, times: int) -> Share | None:
    """A share merged so many times with itself, as if that many partitions had sent it."""
    if not times:
        return None
    tens, rest = divmod(times, 10)
    ten = added([many(added([share] * 10), tens)] if tens else [])
    return added([ten, *[share] * rest])


def added(shares: list[Share | None]) -> Share:
    total = Total([share for share in shares if share is not None])
    return Share(total.counts, {name: moments.encode() for name, moments in total.moments.items()}, total.times)


def both(rest: Share | None, share: Share) -> Share:
    return share if rest is None else added([rest, share])


def assigned(shares: tuple[Share, ...]) -> int:
    """Units in these shares."""
    return sum(group.get("assigned", 0) for share in shares for group in share.counts.values())
