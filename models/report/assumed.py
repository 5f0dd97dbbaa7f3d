"""The plan of the exercise, for recordings that come without one: assumed, and said to be."""

from collections.abc import Collection
from datetime import timedelta

from models.clock import DAY, EPOCH
from models.plan import Experiment, Metric, Plan, Uptake

CONTROL_SHARE, TEST_SHARE = 0.70, 0.30
WINDOW_DAYS = 30.0
SMALLEST = 0.05
"""The smallest difference in conversion that is taken to matter."""
HYPOTHESIS = "Offering CS help when a trial user gets stuck raises conversion"


def control_of(arms: Collection[str]) -> str | None:
    """The arm that is called control, of exactly two; None where that cannot be told."""
    named = [arm for arm in arms if arm.lower() == "control"]
    return named[0] if len(arms) == 2 and len(named) == 1 else None


def assumed_plan(id_: str, arms: Collection[str], first: int, last: int, units: int, by_account: bool) -> Plan | None:
    """Control and test 70 to 30, conversion within 30 days, read once when the last window is over; None where the
    arms do not say which is the control. first, last: assignments (microseconds). by_account: accounts are the units,
    as where every customer is one; else users."""
    control = control_of(arms)
    if control is None:
        return None
    (treatment,) = (arm for arm in arms if arm != control)
    starts = EPOCH + timedelta(microseconds=first // DAY * DAY)
    unit = "account" if by_account else "user"
    return Plan(
        experiment=Experiment(
            id=id_,
            hypothesis=HYPOTHESIS,
            unit=unit,
            randomised_by=unit,
            control=control,
            arms={control: CONTROL_SHARE, treatment: TEST_SHARE},
            starts_at=starts,
            planned_units=max(2, units),
            analysis="fixed",
            analyse_at=EPOCH + timedelta(microseconds=last) + timedelta(days=WINDOW_DAYS),
            uptake=Uptake("help_engaged", "CS"),
        ),
        metric=(
            Metric(name="converted", role="primary", window_days=WINDOW_DAYS, minimum_effect=SMALLEST),
            Metric(name="tasks_completed", window_days=WINDOW_DAYS),
        ),
    )
