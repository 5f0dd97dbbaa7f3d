"""Filling the index of accounts in the background, and keeping it current by the one subscription to `updates`."""

import asyncio
from collections.abc import Iterable, Iterator

from consumers.dashboard.live import COALESCED_S, RETRY_S, Updates
from consumers.dashboard.read import Away, Read
from models.keys import RANKING, account_key, account_of

AT_ONCE = 200


async def keep(read: Read, updates: Updates) -> None:
    """Fill the index, and keep it current until cancelled. What was said while Redis was away has not been heard: then
    everything is read again."""
    with updates.hearing(["account:*"]) as heard:
        await _begun(updates)
        while True:
            try:
                since = updates.times_here
                await fill(read)
                while updates.times_here == since:
                    await take(read, heard.taken())
                    await _wait(heard.told)
            except Away:
                await asyncio.sleep(RETRY_S)


async def _begun(updates: Updates) -> None:
    """Until the subscription has begun, but not for long: what is read before it may have to be read twice."""
    for _ in range(10):
        if updates.here:
            return
        await asyncio.sleep(RETRY_S / 20)


async def _wait(told: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(told.wait(), RETRY_S)
        await asyncio.sleep(COALESCED_S)
    except TimeoutError:
        pass


async def fill(read: Read) -> None:
    """Read every account. What is held already stays until it has been read again."""
    index, seen = read.index, set()
    async for ids in read.members(RANKING):
        for some in pieces(ids):
            await take(read, [account_key(account_id) for account_id in some])
        seen.update(ids)
    for account_id in [one for one in index.ids if one not in seen]:
        index.remove(account_id)
    index.full = True


async def take(read: Read, keys: Iterable[str]) -> None:
    """Read these accounts again; those that are gone are forgotten."""
    wanted = sorted(key for key in keys if not key.endswith(":history"))
    for some in pieces(wanted):
        for key, account in zip(some, await read.known(some), strict=True):
            if account is None:
                read.index.remove(account_of(key))
            else:
                read.index.put(account)
        await asyncio.sleep(0)  # requests are answered in between


def pieces(values: list[str]) -> Iterator[list[str]]:
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))
