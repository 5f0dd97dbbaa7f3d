"""From a recording to a backtest: the same core as live, with every model learning beside the champion."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from livelift.recording import Recording
from livelift.replay import Replay, applied
from models.decode import Decode
from models.events import HOME, SOURCES, UsageReported
from models.health.backtest import Backtest
from models.plan import read_plan
from models.product import Product

USAGE = "usage_reported"


def run(
    recording: Recording,
    product: Product,
    challengers: Iterable[str] = (),
    progress: Callable[[int], None] | None = None,
) -> Backtest:
    """Replay the recording: every model has then said what it would have said. progress: is told the events so far."""
    found = Backtest(product, challengers)
    plans = applied(read_plan(path.read_bytes()) for path in recording.plans)
    replay = Replay(product, plans, found.learning, by_index=True)
    replay.feed(recording.records(), recording.last_tick, progress)
    return found


def usage_totals(recording: Recording, product: Product) -> dict[str, float]:
    """What each account's usage reports add up to in the whole recording, each event once, automated use apart.

    The core cannot say it: it never knows what is still to come, and forgets what is long past.
    """
    decode, topic = Decode(product.people_are_accounts), HOME[USAGE]
    counted: set[str] = set()
    totals: dict[str, float] = defaultdict(float)
    for record in recording.records():
        if record.topic != SOURCES[topic] or USAGE.encode() not in record.value:
            continue
        event = decode(topic, record.value)
        if isinstance(event, UsageReported) and event.id not in counted and not event.properties.get("automated"):
            counted.add(event.id)
            totals[event.account_id] += sum(
                amount for amount in event.properties.values() if not isinstance(amount, bool)
            )
    return dict(totals)
