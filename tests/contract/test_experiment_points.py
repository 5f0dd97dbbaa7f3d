"""The history of an experiment as a chart needs it, from a real stream: few points of however many, each read once."""

from itertools import pairwise
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from consumers.dashboard.read import SPANS, Read

pytestmark = [pytest.mark.contract, pytest.mark.asyncio, pytest.mark.timeout(60)]
KEY = "experiment:widget:history"


class Taken:
    """What is kept of an entry, and how many were."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, entry: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        return {"n": entry["n"]}


@pytest_asyncio.fixture
async def read(services):
    made = Read(services.redis, f"p{uuid4().hex[:8]}:")
    yield made
    await made.client.delete(made.prefix + KEY)
    await made.close()


async def publish(read: Read, *moments: tuple[int, int]) -> None:
    """Entries (milliseconds, number)."""
    for at, n in moments:
        await read.client.xadd(read.prefix + KEY, {"value": msgspec.json.encode({"n": n})}, id=f"{at}-*")


async def numbers(read: Read, take: Taken) -> list[int]:
    return [point["n"] for point in await read.experiment_points("widget", take)]


async def test_a_short_history_is_given_whole_and_none_is_none(read: Read) -> None:
    take = Taken()
    assert await numbers(read, take) == []
    await publish(read, *((1000 + n, n) for n in range(5)))
    assert await numbers(read, take) == [0, 1, 2, 3, 4]


async def test_of_a_long_history_the_last_of_each_span_is_given_and_the_newest(read: Read) -> None:
    await publish(read, *((1_000_000 + 100 * n, n) for n in range(3 * SPANS)))
    found = await numbers(read, Taken())
    assert SPANS / 2 <= len(found) <= SPANS + 1 and found == sorted(set(found))
    assert found[-1] == 3 * SPANS - 1
    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert max(gaps) <= 6, "nothing between is left out for longer than a span"


async def test_what_was_read_is_not_read_again_and_is_what_somebody_new_would_read(read: Read, services) -> None:
    take, end = Taken(), 1_000_000 + 100 * 2 * SPANS
    await publish(read, *((1_000_000 + 100 * n, n) for n in range(2 * SPANS)))
    await numbers(read, take)
    for n, at in enumerate((end, end, end + 100, end + 1_000), 10_000):
        before = take.count
        await publish(read, (at, n))
        found = await numbers(read, take)
        new = Read(services.redis, read.prefix)
        assert found == await numbers(new, Taken()) and found[-1] == n
        assert take.count - before <= 10, "the spans that are new, and the one that is not over"
        await new.close()
