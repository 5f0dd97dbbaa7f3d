"""The forms of a message: all say the same, and a name is a name in each of them, whatever it is made of."""

import re
from email import message_from_string, policy
from email.header import Header
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import apprise
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from consumers.alerts.forms import Forms, forms_of
from models.alerts.alert import Alert
from models.alerts.rules import Rules
from models.alerts.words import letter_of
from tests.support.alerted import RULES, alert, evidence, signal
from tests.support.build import Json, checked

pytestmark = pytest.mark.shell

PAGE = "https://crm.example.com/a?id=acme&tab=health"
HOSTILE = [
    "<script>alert(1)</script>", "Bobby\"><img src=x onerror=alert(1)>", "O'Neill & Sons &amp; Co", "*bold* _it_ ~no~ `code`",
    "[click](http://evil.example)", "<!channel> <@U123> @everyone @here", "# heading", "|pipe|", "a\\b", "&copy; &#60;b&#62;",
    "<https://evil.example|click>", "株式会社サンプル", "شركة المثال", "![x](y)", "- item", "1. one", "**",
]  # fmt: skip


def single(given: Json | None = None, rules: Rules = RULES, **more: Any) -> Forms:
    return forms_of("a1-2-0", [alert(given, **more)], rules)


class Read(HTMLParser):
    """A page as it is read: its words, its elements and their attributes. Fails where elements do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & {*self._open}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub("[ \n]+", " ", " ".join(self.words)).strip()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.elements if one == tag]


def read_markdown(markdown: str) -> Read:
    return Read(MarkdownIt("commonmark").render(markdown))


# -- all say the same -----------------------------------------------------------------------------------------------------

NUMBER = re.compile(r"−?\d[\d,.]*")


@pytest.mark.parametrize(
    "told", [alert(), signal(), alert({"accounts": 12, "basis": "bayes"}, account_id="", rule="started")]
)
def test_html_text_and_markdown_say_everything_that_the_letter_says(told: Alert) -> None:
    letter, forms = letter_of(told, RULES), forms_of("k", [told], RULES)
    said = [letter.next_step, letter.why.rstrip("."), letter.at, *letter.happened, *letter.signs]
    said += [part for fact in letter.facts for part in fact]
    said += [part for pull in letter.drivers for part in pull]
    for form in (Read(forms.html).text, forms.text, f"{forms.subject} {read_markdown(forms.markdown).text}"):
        assert [one for one in (letter.heading, *said) if one not in form] == []
    numbers = [set(NUMBER.findall(form.replace(letter.link or "", ""))) for form in (Read(forms.html).text, forms.text)]
    assert numbers[0] == numbers[1] and numbers[0]


def test_a_digest_has_the_most_urgent_first_in_every_form_and_says_what_waits() -> None:
    small = alert(evidence("Small Co", revenue_at_risk=10.0), id="s")
    large = alert(evidence("Large Co", revenue_at_risk=90_000.0), id="l")
    forms = forms_of("digest-dana-2026-05-05", [signal(), small, large], RULES, waiting=3)
    assert forms.subject == "3 account alerts on 2026-05-05"
    for form in (forms.markdown, forms.text, Read(forms.html).text):
        at = [form.index(one) for one in ("Large Co", "Small Co", "a user who is stuck", "3 more are waiting.")]
        assert at == sorted(at)
    assert [one["account"] for one in forms.webhook["alerts"]] == ["Large Co", "Small Co", "acme"]


# -- webhook --------------------------------------------------------------------------------------------------------------


def test_a_webhook_is_told_the_whole_evidence_and_the_key() -> None:
    told = alert()
    body = msgspec.json.decode(msgspec.json.encode(single().webhook))
    assert body == {
        "key": "a1-2-0", "alert_id": "a1", "episode": 2, "state": "open", "rule": "at-risk", "reason": "at_risk",
        "account_id": "acme", "account": "Acme Ltd", "owner": "dana", "why": "Rule at-risk: it is at risk.",
        "heading": "Acme Ltd is at risk: health score 24, down 19 in a week", "evidence": told.evidence,
        "next_step": "Ask them about what pulls the score down most: days with a visit.",
        "link": PAGE, "text": single().text,
    }  # fmt: skip


def test_a_digests_webhook_has_one_key_and_every_alert() -> None:
    told = [alert(), signal()]
    body = forms_of("digest-dana-2026-05-05", told, RULES, waiting=1).webhook
    assert body.keys() == {"key", "owner", "date", "heading", "waiting", "text", "alerts"}
    assert (body["key"], body["owner"], body["date"], body["waiting"]) == (
        "digest-dana-2026-05-05",
        "dana",
        "2026-05-05",
        1,
    )
    alone = forms_of("k", told[:1], RULES).webhook
    assert body["alerts"][0] == {name: value for name, value in alone.items() if name != "key"}


# -- names ----------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=60) | st.lists(st.sampled_from("*_`[]()<>!&#@~|\\-a 1."), min_size=1).map("".join)  # fmt: skip


@checked(100)
@given(NAMES, NAMES)
def test_a_name_is_just_a_name_in_html_and_in_markdown(called: str, owner: str) -> None:
    plain, told = alert(), alert(evidence(called), owner=owner)
    letter, forms, before = letter_of(told, RULES), forms_of("k", [told], RULES), forms_of("k", [plain], RULES)
    page, markdown = Read(forms.html), read_markdown(forms.markdown)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in Read(before.html).elements]
    assert letter.account in page.text and letter.owner in page.text
    known = [tag for tag, _ in read_markdown(before.markdown).elements]
    shortened = letter.heading != letter.subject  # then the heading stands in the body, too
    assert [tag for tag, _ in markdown.elements] == (["p", "strong"] if shortened else []) + known
    assert letter.account in markdown.text.replace("\u2060", "") and letter.owner in markdown.text.replace("\u2060", "")
    assert [one["href"] for one in page.all("a") + markdown.all("a")] == [PAGE] * 3


@pytest.mark.parametrize(
    "called", ["Acme\r\nBcc: all@example.com", "Acme\nSubject: x", "a\x0bb\x0cc\x85d\u2028e", "Zoë ünd 株"]
)
def test_no_name_gets_a_header_of_its_own(called: str) -> None:
    for told in (alert(evidence(called)), signal(user=called)):
        forms = forms_of("k", [told], RULES)
        assert forms.subject.splitlines() == [forms.subject]
        assert "\n" not in Header(forms.subject, "utf-8", maxlinelen=10_000).encode()


@pytest.mark.parametrize("called", HOSTILE)
def test_an_email_is_sent_with_the_name_and_nothing_of_it_is_markup(called: str) -> None:
    """By apprise, into the hands of what would be the mail server."""
    forms, sent = single(evidence(called)), []
    with patch("apprise.plugins.email.base.smtplib.SMTP") as smtp:
        smtp.return_value.sendmail.side_effect = lambda _from, _to, message: sent.append(message)
        mail = apprise.Apprise()
        assert mail.add("mailto://localhost:2525?from=livelift@example.com&to=dana@example.com")
        assert mail.notify(body=forms.html, title=forms.subject, body_format=apprise.NotifyFormat.HTML)
    (message,) = [message_from_string(one, policy=policy.default) for one in sent]
    assert message["Subject"].split() == forms.subject.split()
    assert message["Bcc"] is None and message["To"] is not None
    assert forms.html.strip() in message.get_body(("html",)).get_content()
    plain = " ".join(message.get_body(("plain",)).get_content().split())
    letter = letter_of(alert(evidence(called)), RULES)
    for part in (PAGE, letter.next_step, letter.at, *letter.signs, *(fact.value for fact in letter.facts)):
        assert " ".join(part.split()) in plain


def test_names_with_an_underscore_need_no_backslash() -> None:
    assert "team_one_a & b" in single(evidence("team_one_a & b")).markdown


def slack(forms: Forms) -> Json:
    """What apprise posts to Slack."""
    with patch("requests.request") as request, patch("requests.post", request):
        request.return_value.status_code, request.return_value.content = 200, b"ok"
        chat = apprise.Apprise()
        assert chat.add("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#cs")
        assert chat.notify(body=forms.markdown, title=forms.subject, body_format=apprise.NotifyFormat.MARKDOWN)
    return msgspec.json.decode(request.call_args.kwargs["data"])


@pytest.mark.parametrize("called", HOSTILE)
def test_in_slack_no_name_rings_anybody_or_leads_anywhere(called: str) -> None:
    (message,) = slack(single(evidence(called)))["attachments"]
    shown = message["title"] + message["text"]
    assert re.findall(r"<[^>]*>", shown) == ["<https://crm.example.com/a?id=acme&amp;tab=health|Open the account>"]
    assert "*What pulls it down*" in message["text"]


# -- email ----------------------------------------------------------------------------------------------------------------


def test_tables_tell_a_screen_reader_what_each_cell_is() -> None:
    page = Read(single().html)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("table")) == 2 and len(page.all("caption")) == 1
    assert {one["scope"] for one in page.all("th")} == {"row", "col"}
    assert len(page.all("td")) == 7 + 2 * 4, "a fact each, and four figures for each driver"
    assert "not known" in page.text, "no cell is empty"


def test_the_page_is_light_or_dark_as_its_reader_is_and_asks_nothing_of_the_net() -> None:
    html = single().html
    assert "@media (prefers-color-scheme:dark)" in html and 'content="light dark"' in html
    assert 'name="viewport"' in html
    assert not {"script", "img", "link", "iframe", "form"} & {tag for tag, _ in Read(html).elements}
    assert "url(" not in html and "@import" not in html


def test_without_a_page_there_is_no_link() -> None:
    forms = single(rules=Rules(rule=RULES.rule))
    assert "Open the account" not in forms.html + forms.markdown and forms.webhook["link"] is None
