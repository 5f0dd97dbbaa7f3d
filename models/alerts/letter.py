"""What is said of an alert, as values: whatever form it takes, it says all of this and nothing else."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from models.alerts import figures
from models.alerts.alert import Alert
from models.alerts.names import Name, name
from models.alerts.rules import Rules


class Fact(NamedTuple):
    """One thing that is told, and what it is called."""

    name: str
    value: str


class Pull(NamedTuple):
    """A driver that pulls the score down, in words. An empty one is not known."""

    label: str
    value: str
    typical: str
    change: str
    points: str


class Letter(NamedTuple):
    """Everything that is said of one alert, in order.

    subject: the heading with long names cut. why: the rule and its conditions. at: when that was so, by the owners'
    clock. link: to the account's page; None where no page is known. facts: the score, what it means, and whose account
    it is. note: why some of that is not told. drivers: the worst first.
    """

    alert_id: str
    episode: int
    rule: str
    account_id: str
    account: Name
    owner: Name
    heading: str
    subject: str
    why: str
    at: str
    next_step: str
    link: str | None = None
    facts: tuple[Fact, ...] = ()
    note: str = ""
    drivers: tuple[Pull, ...] = ()
    happened: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


class Digest(NamedTuple):
    """What one owner hears of on a day. date: by their clock. letters: the most urgent first. waiting: how many more
    there are, told when there is room."""

    owner: Name
    date: str
    letters: tuple[Letter, ...]
    waiting: int

    @property
    def subject(self) -> str:
        return f"{figures.count(len(self.letters), 'account alert')} on {self.date}"

    @property
    def rest(self) -> str:
        """A sentence about those that wait; empty where none does."""
        return "" if not self.waiting else "1 more is waiting." if self.waiting == 1 else \
            f"{self.waiting:,} more are waiting."  # fmt: skip


def page_of(account_id: str, rules: Rules) -> str | None:
    """The address of an account's page; None where no page is known."""
    return rules.account_page.replace("{account_id}", quote(account_id, safe="")) if rules.account_page else None


def whose(alert: Alert, called: str) -> Iterator[Fact]:
    """Which account an alert is about, and whose it is. called: what the account is called, if only by its id."""
    id_ = name(alert.account_id)
    yield Fact("Account", id_ if called == alert.account_id else f"{name(called)} ({id_})")
    yield Fact("Owner", name(alert.owner))
