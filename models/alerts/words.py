"""What alerts say: one as a letter, those of an owner as a digest. Chat, email and programs are told the same.

Every number is one of the evidence's or of the rule's, written by `models.alerts.figures`.
"""

from collections.abc import Iterable

from models.alerts.alert import Alert
from models.alerts.delivery import local, urgency
from models.alerts.letter import Digest, Letter
from models.alerts.names import name
from models.alerts.rules import Rule, Rules, When
from models.alerts.scored import of_score
from models.alerts.stuck import of_signal
from models.alerts.to_operator import of_livelift


def letter_of(alert: Alert, rules: Rules) -> Letter:
    """What an alert says, in the order in which it is read."""
    if not alert.account_id:
        return of_livelift(alert, rules)
    rule = rules.named(alert.rule) or Rule(id=alert.rule, when=When())
    return of_signal(alert, rule, rules) if "user_id" in alert.evidence else of_score(alert, rule, rules)


def digest_of(alerts: Iterable[Alert], rules: Rules, now: int, waiting: int = 0) -> Digest:
    """What one owner's alerts say together. now: microseconds. waiting: how many more there are."""
    ordered = sorted(alerts, key=urgency)
    owner = name(ordered[0].owner if ordered else "")
    letters = tuple(letter_of(alert, rules) for alert in ordered)
    return Digest(owner, local(rules.hours, now).date().isoformat(), letters, waiting)
