"""The forms of what alerts say: markdown for chat, plain text, email, and JSON for a webhook of one's own.

Each is made of a `Letter` or a `Digest` and says all of it; what names are made of has no meaning in any of them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from consumers.alerts.html import digest_page, letter_page
from consumers.alerts.markdown import digest_markdown, letter_markdown
from consumers.alerts.text import digest_text, letter_text
from models.alerts.alert import Alert
from models.alerts.letter import Digest, Letter

Said = Letter | Digest


class Chat(NamedTuple):
    """title: plain text. body: CommonMark. text: the body for where no markdown is understood."""

    title: str
    body: str
    text: str


class Email(NamedTuple):
    """subject: one line. html: a whole page. text: the same as plain text."""

    subject: str
    html: str
    text: str


def chat(said: Said) -> Chat:
    """As a message of a chat: give it to apprise with the format `markdown`."""
    body = letter_markdown(said) if isinstance(said, Letter) else digest_markdown(said)
    return Chat(said.subject, body, _text(said))


def email(said: Said) -> Email:
    """As an email."""
    return Email(said.subject, letter_page(said) if isinstance(said, Letter) else digest_page(said), _text(said))


def webhook(said: Letter, alert: Alert, key: str) -> dict[str, Any]:
    """One alert for a webhook. key: the same however often this message is sent. evidence: the score message, or the
    signal, that it rests on."""
    return {
        "key": key,
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


def webhook_digest(said: Digest, alerts: Mapping[str, Alert], key: str) -> dict[str, Any]:
    """A digest for a webhook. alerts: those that it tells of, by their ids."""
    told = (webhook(one, alerts[one.alert_id], key) for one in said.letters)
    return {
        "key": key,
        "owner": next(iter(alerts.values())).owner,
        "date": said.date,
        "heading": said.subject,
        "text": digest_text(said),
        "waiting": said.waiting,
        "alerts": [{name: value for name, value in one.items() if name != "key"} for one in told],
    }


def _text(said: Said) -> str:
    return letter_text(said) if isinstance(said, Letter) else digest_text(said)
