"""What the operator hears of livelift itself, in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from models.alerts.alert import Alert
from models.alerts.figures import count, moment
from models.alerts.letter import Letter
from models.alerts.names import name
from models.alerts.rules import Rules


class Notice(NamedTuple):
    """heading and text: what is so. step: what to do; empty for nothing."""

    heading: str
    text: str
    step: str = ""


def of_livelift(alert: Alert, rules: Rules) -> Letter:
    """What a notice says."""
    notice = notice_of(alert.rule, alert.evidence)
    return Letter(
        alert_id=alert.id, episode=alert.episode, rule=alert.rule, account_id="", account=name("livelift"),
        owner=name(alert.owner), heading=notice.heading, subject=notice.heading, happened=(notice.text,),
        next_step=notice.step, why=f"Notice {name(alert.rule)}, to whoever runs livelift.",
        at=moment(alert.at, rules.hours),
    )  # fmt: skip


def notice_of(kind: str, evidence: Mapping[str, Any]) -> Notice:
    """A notice in words. evidence: `accounts`, how many are concerned; `basis`, the new one where it has changed."""
    many = int(evidence.get("accounts", 0))
    accounts, alerts = count(many, "account"), count(many, "alert")
    match kind:
        case "model-changed":
            return Notice(
                f"The model has changed to {name(str(evidence.get('basis', '')))}: {accounts}",
                f"So many are scored by another kind of model than their last day closed with: {accounts}. Nothing has "
                "happened to them, so nobody is alerted; what rules find is noted, and told if it gets clearly worse.",
                "Read `livelift snapshot model` before you rely on the new scores.",
            )
        case "started":
            return Notice(
                f"Alerts have begun: {alerts} held already",
                f"Nobody was told of what rules found at the first start: {alerts}. It is noted, and told if it "
                "becomes clearly worse.",
                "Read `livelift alerts list` for those that matter now.",
            )
        case "undeliverable":
            return Notice(
                f"Alerts could not be delivered: {accounts}",
                f"A channel has not taken what was to be said of {accounts} for a day, and it is not tried any more.",
                "Repair the channel, and send them again with `livelift alerts retry`.",
            )
        case _:
            return Notice(f"Notice {name(kind)}: {accounts}", f"It concerns {accounts}.")
