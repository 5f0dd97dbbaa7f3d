"""The dashboard over snapshots in a dict: what `livelift replay` prints, without Redis."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import msgspec
from fastapi.testclient import TestClient

from consumers.dashboard.app import make_dashboard
from consumers.dashboard.config import Here
from consumers.dashboard.index import Known
from consumers.dashboard.read import Away, Json, Read, Take
from models.keys import history_key

URL = "redis://127.0.0.1:1/0"
"""Nobody listens there: whatever is read past the dict fails."""


class Given(Read):
    """Snapshots by key, as `Read` gives them. hashes: those that are read field by field. histories: by their keys."""

    def __init__(
        self, snapshots: Mapping[str, Any], hashes: Mapping[str, Mapping[str, Json]] | None = None,
        histories: Mapping[str, list[Json]] | None = None, away: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(URL, "livelift:")
        self.snapshots, self.hashes, self.histories = dict(snapshots), dict(hashes or {}), dict(histories or {})
        self.away = away

    def _here(self) -> None:
        if self.away:
            raise Away("ConnectionError")

    async def many(self, keys: Any) -> list[Json | None]:
        self._here()
        return [self.snapshots.get(key) for key in keys]

    async def known(self, keys: Sequence[str]) -> list[Known | None]:
        return [None if one is None else msgspec.convert(one, Known) for one in await self.many(keys)]

    async def fields(self, key: str) -> dict[str, Json]:
        self._here()
        return dict(self.hashes.get(key, self.snapshots.get(key, {})))

    async def scanned(self, key: str) -> AsyncIterator[Json]:
        for value in (await self.fields(key)).values():
            yield value

    async def some(self, key: str, fields: Sequence[str]) -> list[Json | None]:
        held = await self.fields(key)
        return [held.get(field) for field in fields]

    async def history(self, account_id: str, count: int = 2000) -> list[Json]:
        self._here()
        return self.histories.get(history_key(account_id), [])[-count:]

    async def experiment_history(self, experiment: str, count: int = 2000) -> list[Json]:
        self._here()
        return self.histories.get(f"experiment:{experiment}:history", [])[-count:]

    async def experiment_points(self, experiment: str, take: Take) -> list[Json]:
        return [take(one) for one in await self.experiment_history(experiment)]

    async def ranked(self, ranking: str, start: int, count: int) -> list[tuple[str, float]]:
        self._here()
        held = sorted(self.snapshots.get(ranking, {}).items(), key=lambda one: (one[1], one[0]))
        return held[start : start + count]

    async def members(self, ranking: str) -> AsyncIterator[list[str]]:
        self._here()
        yield list(self.snapshots.get(ranking, {}))

    async def size(self, ranking: str) -> int:
        self._here()
        return len(self.snapshots.get(ranking, {}))


@contextmanager
def dashboard(read: Read, **here: Any) -> Iterator[TestClient]:
    """A client of the dashboard over these snapshots. here: as for `Here`."""
    app = make_dashboard(Here(redis_url=URL, **here), read)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._skipped += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(data)


def text_of(html: str) -> str:
    """What a page says, as one line."""
    reader = _Text()
    reader.feed(html)
    return " ".join(" ".join(reader.parts).split())
