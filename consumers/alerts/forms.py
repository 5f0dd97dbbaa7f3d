"""The forms of a message: markdown for chats, plain text, HTML for email, and JSON for a webhook of one's own.

All say the same, and what names are made of has no meaning in any of them.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from consumers.alerts.html import digest_page, letter_page
from consumers.alerts.markdown import digest_markdown, letter_markdown
from consumers.alerts.text import digest_text, letter_text
from models.alerts.alert import Alert
from models.alerts.delivery import urgency
from models.alerts.letter import Digest, Letter
from models.alerts.rules import Rules
from models.alerts.words import digest_of, letter_of


class Forms(NamedTuple):
    """One message in each of its forms.

    subject: one line of plain text, the title of a chat message as well. markdown: CommonMark, without the subject.
    text: plain text, for where no markup is understood. html: a whole page. webhook: JSON-able.
    """

    subject: str
    markdown: str
    text: str
    html: str
    webhook: dict[str, Any]


def forms_of(key: str, alerts: Iterable[Alert], rules: Rules, waiting: int = 0) -> Forms:
    """A message in its forms. key: its idempotency key. alerts: those that it tells of, one unless it is a digest.
    waiting: how many more the owner has, which a digest says."""
    told = sorted(alerts, key=urgency)
    if key.startswith("digest-"):
        at = max(max(alert.told, default=alert.at) for alert in told)
        digest = digest_of(told, rules, at, waiting)
        return Forms(
            digest.subject, digest_markdown(digest), digest_text(digest), digest_page(digest),
            digest_json(digest, told, key),
        )  # fmt: skip
    letter = letter_of(told[0], rules)
    return Forms(
        letter.subject, letter_markdown(letter), letter_text(letter), letter_page(letter),
        {"key": key, **letter_json(letter, told[0])},
    )  # fmt: skip


def letter_json(said: Letter, alert: Alert) -> dict[str, Any]:
    """One alert in a webhook. evidence: the score message, or the signal, that it rests on, whole."""
    return {
        "alert_id": alert.id,
        "episode": alert.episode,
        "state": alert.state,
        "rule": alert.rule,
        "reason": alert.reason,
        "account_id": alert.account_id,
        "account": said.account,
        "owner": alert.owner,
        "heading": said.heading,
        "why": said.why,
        "next_step": said.next_step,
        "link": said.link,
        "text": letter_text(said),
        "evidence": alert.evidence,
    }


def digest_json(said: Digest, alerts: Iterable[Alert], key: str) -> dict[str, Any]:
    """A digest in a webhook. alerts: in the order of its letters."""
    told = [*alerts]
    return {
        "key": key,
        "owner": told[0].owner,
        "date": said.date,
        "heading": said.subject,
        "waiting": said.waiting,
        "text": digest_text(said),
        "alerts": [letter_json(letter, alert) for letter, alert in zip(said.letters, told, strict=True)],
    }
