"""`alerts.toml`: what is wrong is told with its line, before anything runs."""

import pytest

from models.alerts.rules import RulesError, read_rules
from tests.support.alerting import AT_RISK, CHANNEL

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[[rule]]\nid = 'a'\n", 1, "when"),
        (AT_RISK + "\n[[rule]]\nid = 'drop'\nwhen = { drop = -3 }\n", 7, "drop"),
        (AT_RISK + "\n[[rule]]\nid = 'drop'\n[rule.when]\nwithin_days = 7\ndrop = 0\n", 9, "drop"),
        (AT_RISK + "[[rule]]\nid = 'x'\nwhen = { band = 'bad' }\n", 6, "bad"),
        (AT_RISK + "cooldown = 3\n", 4, "cooldown"),
        (AT_RISK + "[hours]\ntimezone = 'Mars/Olympus'\n", 5, "Mars/Olympus"),
        (AT_RISK + "[hours]\nquiet_from = '25:00'\nquiet_until = '08:00'\n", 5, "quiet_from"),
        (AT_RISK + "[hours]\nquiet_from = '18:00'\n", 5, "belong together"),
        (AT_RISK + AT_RISK, 5, "two rules are called 'at-risk'"),
        (CHANNEL + CHANNEL, 5, "two channels are called 'chat'"),
        (AT_RISK + "channels = ['chat', 'mail']\n" + CHANNEL, 4, "'mail', which is not there"),
        ("[[rule]]\nid = 'a'\nwhen = {}\n", 3, "no condition"),
        ("[[rule]]\nid = 'a'\nwhen = { within_days = 3 }\n", 3, "no condition"),
        ("[[rule]]\nid = 'a'\nwhen = { stuck = {}, band = 'watch' }\n", 3, "cannot be joined with band"),
        ("[[rule]]\nid = 'a'\nwhen = { stuck = {} }\nsegments = ['big']\n", 4, "segment"),
        ("account_page = 'https://example.com/'\n", 1, "{account_id}"),
        (AT_RISK + "[limits]\nper_account = 0\n", 5, "per_account"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(RulesError) as error:
        read_rules(text)
    assert str(error.value).startswith(f"line {line}: ") and says in str(error.value)


def test_what_is_no_toml_says_where() -> None:
    with pytest.raises(RulesError, match="line 2"):
        read_rules("[[rule]]\nid = = 'a'\n")


def test_an_owner_is_reached_by_their_own_channels_and_by_those_of_everybody() -> None:
    rules = read_rules(
        CHANNEL + "[[channel]]\nid = 'mail-olga'\nurl = 'mailto://x'\nowners = ['olga']\n"
        "[[channel]]\nid = 'page'\nurl = 'http://127.0.0.1'\nowners = ['operator']\n"
    )
    assert rules.channels_of("olga") == ("chat", "mail-olga")
    assert rules.channels_of("ben") == ("chat",)
    assert rules.channels_of("olga", only=("mail-olga",)) == ("mail-olga",)
    assert rules.channels_of("operator") == ("page",), "the operator has one of their own"
    assert read_rules(CHANNEL).channels_of("operator") == ("chat",), "else everybody's"
