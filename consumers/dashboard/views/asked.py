"""What has become of what somebody asked for, and the commands that were refused, in words."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from consumers.dashboard.views.account import called
from models.alerts.decide import DELIVERED, NO_SUCH, PAST, TOO_LATE, UNJUDGED
from models.alerts.evidence import COMMANDS

Json = Mapping[str, Any]
WORDS = {"acknowledge": "Acknowledge", "snooze": "Snooze", "resolve": "Resolve", "reopen": "Reopen",
         "retry": "Send again"}  # fmt: skip
DONE = {
    "acknowledge": "It is acknowledged.", "snooze": "It is put off.",
    "resolve": "It is resolved, and stands under closed alerts until its condition ends: it can be reopened there.",
    "reopen": "It is open again.", "retry": "It is being sent again.",
}  # fmt: skip
WAITS = "It has been sent as a message; what becomes of it shows here by itself."
AND_IF_NOT = "If it does not, `livelift alerts run` is not at work."
ADVICE = {
    NO_SUCH: "Load the page again: it was over long ago, or about somebody who has been forgotten.",
    PAST: "Choose a later day.",
    UNJUDGED: "Say whether hearing of it was useful.",
    DELIVERED: "Nothing is to be done: it has been delivered, or is being sent again.",
}  # fmt: skip
FASTER = "Somebody was faster, or its condition has ended: look at what it is now, and ask for what it offers."
STRANGE = "No page asks so: look for the program that writes to the topic alert-commands."


class Sent(NamedTuple):
    """A command that a form has sent. offset: in its topic."""

    do: str
    alert_id: str
    offset: int

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{self.do}/{self.alert_id}/{self.offset}"


class Became(NamedTuple):
    """What has become of it. state: waits, done or refused."""

    state: str
    asked: str
    rule: str
    account: str
    says: str
    advice: str


class Refusal(NamedTuple):
    """A command that was refused. because: why. advice: what to do now."""

    at: str
    by: str
    asked: str
    account_id: str
    account: str
    rule: str
    because: str
    advice: str


def asked_of(text: str) -> Sent | None:
    """The command that an address names; None where it names none."""
    do, _, rest = text.partition("/")
    alert_id, _, offset = rest.rpartition("/")
    readable = do in WORDS and alert_id and offset.isascii() and offset.isdigit() and len(offset) < 19
    return Sent(do, alert_id, int(offset)) if readable else None


def became(asked: Sent | None, alerts: Iterable[Json], report: Json | None, refused: Json | None) -> Became | None:
    """What has become of a command. alerts: those that the page shows. report: `alerts:rules`, which says up to where
    commands have been decided on. refused: `alerts:refused`."""
    if asked is None:
        return None
    alert = next((one for one in alerts if one["alert_id"] == asked.alert_id), None)
    name = ("", "") if alert is None else (str(alert["rule"]), called_of(alert))
    because = next((one["because"] for one in listed(refused) if one["offset"] == asked.offset), None)
    if because is not None:
        return Became("refused", WORDS[asked.do], *name, f"It was refused: {because}.", advice(because))
    decided = ((report or {}).get("as_of") or {}).get("offsets", {}).get(COMMANDS, 0)
    if decided > asked.offset:
        return Became("done", WORDS[asked.do], *name, DONE[asked.do], "")
    return Became("waits", WORDS[asked.do], *name, WAITS, AND_IF_NOT)


def called_of(alert: Json) -> str:
    """The account of an alert by its name, else by its id."""
    return called({**(alert.get("evidence") or {}), "account_id": alert.get("account_id") or ""})


def listed(refused: Json | None) -> list[Json]:
    return list((refused or {}).get("refused", ()))


def refusals(refused: Json | None, accounts: Iterable[Json | None]) -> list[Refusal]:
    """The commands that were refused, the newest first. accounts: snapshots of those whose alerts they were on."""
    names = {one["account_id"]: called(one) for one in accounts if one is not None}
    return [_refusal(one, names) for one in listed(refused)]


def _refusal(one: Json, names: Mapping[str, str]) -> Refusal:
    account_id, because = str(one["account_id"] or ""), str(one["because"])
    return Refusal(
        str(one["at"]), str(one["by"] or ""), WORDS.get(one["do"], str(one["do"])), account_id,
        names.get(account_id, account_id), str(one["rule"] or ""), because, advice(because),
    )  # fmt: skip


def advice(because: str) -> str:
    """What to do about a command that was refused."""
    return FASTER if because.startswith(TOO_LATE) else ADVICE.get(because, STRANGE)
