"""Which arm a unit belongs in: decided by a hash, so that every service answers alike and nothing has to be kept.

Other languages do the same in five lines (docs/guides/experiments.md). Assigning is not counting: a unit takes part
when the product sends `experiment_assigned`.
"""

import xxhash

from models.plan import Plan

Unit = str | tuple[str, str]
"""An account id, or (account id, user id)."""
BITS = 53
"""Of the hash's 64, so that a position is exact in every language's double."""


def assign(plan: Plan, unit: Unit) -> str | None:
    """The arm of this unit, or None if it is outside the experiment's slot of its exclusive group.

    Randomised by account (the default), all users of an account get the same arm: they talk to each other, and what one
    is shown would spill over. Different experiments are independent. Raises ValueError where users are randomised and
    none is named.
    """
    account_id, user_id = (unit, None) if isinstance(unit, str) else unit
    slot = plan.exclusive
    if slot is not None and not slot.begin <= position(f"slot|{slot.group}|{account_id}") < slot.end:
        return None
    experiment = plan.experiment
    randomised = account_id
    if experiment.randomised_by == "user":
        if user_id is None:
            raise ValueError(f"experiment {plan.id!r} is randomised by user: assign (account_id, user_id)")
        randomised = f"{account_id}|{user_id}"
    # The control's part comes first, however the file orders its arms: the plan's hash does not know an order either.
    below = position(f"arm|{plan.id}|{randomised}") < experiment.arms[experiment.control]
    return experiment.control if below else plan.treatment


def is_held_out(account_id: str, share: float) -> bool:
    """Whether an account is among the share that nobody is alerted to (`[capacity] hold_out`): for good, by every
    worker, and a larger share keeps those of a smaller one."""
    return share > 0 and position(f"hold-out|{account_id}") < share


def position(text: str) -> float:
    """A text's place in [0, 1): the upper 53 bits of its XXH3 hash."""
    return (xxhash.xxh3_64_intdigest(text.encode()) >> (64 - BITS)) / 2**BITS
