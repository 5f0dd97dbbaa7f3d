"""A plan for recordings that come without one: made of the assignments that they hold."""

from typing import NamedTuple

import msgspec

from livelift.recording.record import Log
from models.plan import Id, Plan
from models.report.assumed import assumed_plan

ASSIGNED = b"experiment_assigned"


class InArm(msgspec.Struct):
    experiment: Id
    arm: str


class Assigned(msgspec.Struct):
    """What is read of an assignment; any other event does not read as one."""

    type: str
    account_id: str
    properties: InArm
    user_id: str | None = None


class Seen(NamedTuple):
    """The assignments to one experiment."""

    arms: set[str]
    at: list[int]
    units: set[tuple[str, str | None]]


DECODER = msgspec.json.Decoder(Assigned)


def assume(log: Log) -> list[Plan]:
    """The exercise's plan for every experiment that accounts or users were assigned to, where its arms allow it."""
    found: dict[str, Seen] = {}
    for at, value in zip(log.at, log.values, strict=True):
        one = _read(value) if ASSIGNED in value else None
        if one is not None:
            seen = found.setdefault(one.properties.experiment, Seen(set(), [], set()))
            seen.arms.add(one.properties.arm)
            seen.at.append(at)
            seen.units.add((one.account_id, one.user_id))
    plans = [
        assumed_plan(id_, seen.arms, min(seen.at), max(seen.at), len(seen.units), _one_each(seen.units))
        for id_, seen in found.items()
    ]
    return [plan for plan in plans if plan is not None]


def _read(value: bytes) -> Assigned | None:
    try:
        one = DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # whatever it is, the system will say
    return one if one.type == ASSIGNED.decode() else None


def _one_each(units: set[tuple[str, str | None]]) -> bool:
    """Whether every account was assigned as one."""
    return len({account for account, _ in units}) == len(units)
