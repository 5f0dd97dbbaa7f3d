"""The life of an alert, as a printable table: what each input makes of it, and whether somebody is told."""

from typing import Literal, NamedTuple

State = Literal["absent", "noted", "open", "acknowledged", "snoozed", "over", "closed"]
"""absent: no such alert. noted: the condition held when a model or livelift itself began to speak; nobody was told.
over: the condition has ended. closed: a person has dealt with it, and it still holds."""
Input = Literal["holds", "holds quietly", "worse", "ends", "wakes", "acknowledge", "snooze", "resolve", "reopen"]
"""holds quietly: only the model has changed, or livelift begins: nothing has happened to the account. worse: a noted
condition that has become clearly worse than it was when it was noted. The last four are a person's."""


class Step(NamedTuple):
    """What an input makes of an alert. name: of the transition. tells: somebody has to hear of it."""

    to: State
    name: str
    tells: bool = False


ACTIVE: tuple[State, ...] = "open", "acknowledged", "snoozed"
"""States that ask something of somebody: what `alerts:open` holds."""
COMMANDS: tuple[Input, ...] = "acknowledge", "snooze", "resolve", "reopen"
TABLE: dict[tuple[State, Input], Step] = {
    ("absent", "holds"): Step("open", "opened", tells=True),
    ("absent", "holds quietly"): Step("noted", "noted"),
    ("noted", "worse"): Step("open", "opened", tells=True),
    ("noted", "ends"): Step("over", "ended"),
    ("noted", "resolve"): Step("closed", "resolved"),
    ("open", "holds"): Step("open", "updated"),
    ("open", "holds quietly"): Step("open", "updated"),
    ("open", "ends"): Step("over", "ended"),
    ("open", "acknowledge"): Step("acknowledged", "acknowledged"),
    ("open", "snooze"): Step("snoozed", "snoozed"),
    ("open", "resolve"): Step("closed", "resolved"),
    ("acknowledged", "holds"): Step("acknowledged", "updated"),
    ("acknowledged", "holds quietly"): Step("acknowledged", "updated"),
    ("acknowledged", "ends"): Step("over", "ended"),
    ("acknowledged", "snooze"): Step("snoozed", "snoozed"),
    ("acknowledged", "resolve"): Step("closed", "resolved"),
    ("acknowledged", "reopen"): Step("open", "reopened"),
    ("snoozed", "holds"): Step("snoozed", "updated"),
    ("snoozed", "holds quietly"): Step("snoozed", "updated"),
    ("snoozed", "wakes"): Step("open", "woken", tells=True),
    ("snoozed", "ends"): Step("over", "ended"),
    ("snoozed", "acknowledge"): Step("acknowledged", "acknowledged"),
    ("snoozed", "resolve"): Step("closed", "resolved"),
    ("snoozed", "reopen"): Step("open", "reopened"),
    ("over", "holds"): Step("open", "opened", tells=True),
    ("over", "holds quietly"): Step("noted", "noted"),
    ("over", "resolve"): Step("over", "resolved"),
    ("closed", "ends"): Step("over", "ended"),
    ("closed", "resolve"): Step("closed", "resolved"),
    ("closed", "reopen"): Step("open", "reopened"),
}
"""(state, input) -> what follows; pairs that are not here change nothing, and as commands are refused."""


def printed() -> list[tuple[str, str, str, str, str]]:
    """The table as rows of (state, input, to, transition, told)."""
    return [(state, given, step.to, step.name, "yes" if step.tells else "") for (state, given), step in TABLE.items()]
