"""How the alerts process begins: it joins its group when it knows what there is to give out."""

from threading import Event

import pytest

from consumers.alerts.loop import know

pytestmark = pytest.mark.shell


class Client:
    """A Kafka client that hears of its topics late."""

    def __init__(self, known_after: int) -> None:
        self.asked, self._known_after = 0, known_after

    def partitions_for_topic(self, topic: str) -> set[int]:
        self.asked += topic == "alert-commands"
        return {0, 1} if topic == "account-scores" or self.asked > self._known_after else set()


def test_it_waits_until_the_partitions_of_all_topics_are_known() -> None:
    late = Client(known_after=2)
    know(late, ["account-scores", "alert-commands"], Event())
    assert late.asked == 3


def test_it_does_not_wait_any_more_when_it_is_stopped() -> None:
    stopped, never = Event(), Client(known_after=10**9)
    stopped.set()
    know(never, ["alert-commands"], stopped)
    assert never.asked == 1
