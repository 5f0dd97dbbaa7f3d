"""The dashboard as a process on a real Redis, as a user who may only read."""

import sys
from collections.abc import Iterator

import httpx
import pytest
import redis

from consumers.dashboard.pages import PAGES
from livelift.dashboard import ACL
from livelift.local.process import Child
from livelift.screens import address, examples_of, fill
from tests.support.stack import until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
HELD = {
    "quality": {"published_at": "2026-05-05T00:00:00Z", "as_of": {"time": "2026-05-05T00:00:00Z"}, "accepted": 7,
                "refused": {}, "ignored": {}, "late": 0, "duplicate": 0, "suppressed": 0, "forwarded": 0, "users": 1,
                "accounts": 1, "deduplication": "a repeated event id is recognised", "lag": {}},
    "accounts:by-score": {"acme": 12.0},
}  # fmt: skip


@pytest.fixture
def store(namespace) -> Iterator[tuple[redis.Redis, str, str]]:
    """Redis, the prefix, and the address of it for a user as `livelift dashboard acl` prints one."""
    settings = namespace()
    store = redis.Redis.from_url(settings.require_redis())
    user = f"d{settings.redis_prefix.rstrip(':')}"
    line = ACL.format(user=user, password="pw", prefix=settings.redis_prefix).split()
    store.execute_command("ACL", "SETUSER", *line[1:])
    yield store, settings.redis_prefix, settings.require_redis().replace("redis://", f"redis://{user}:pw@")
    store.execute_command("ACL", "DELUSER", user)


@pytest.fixture
def dashboard(store, tmp_path) -> Iterator[httpx.Client]:
    _, prefix, url = store
    log = tmp_path / "dashboard.log"
    child = Child("dashboard", [sys.executable, "-m", "livelift", "dashboard", "--port", "0"], log,
                  {"LIVELIFT_REDIS": "redis://127.0.0.1:1/0", "LIVELIFT_DASHBOARD_REDIS": url,
                   "LIVELIFT_REDIS_PREFIX": prefix})  # fmt: skip
    try:
        address = until("it says where it is", lambda: log.read_text().partition("\n")[0])
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client
    finally:
        assert child.stop() == 0, child.last_lines()


def test_whoever_may_only_read_sees_every_page_and_hears_what_changes(store, dashboard):
    writer, prefix, _ = store
    fill(writer, prefix, HELD)
    assert dashboard.get("/ready").text == "ready\n"
    for page in (one for one in PAGES if not one.json_only):
        answer = dashboard.get(address(page, examples_of(HELD)))
        assert answer.status_code in (200, 404), (page.path, answer.text)
        assert "Redis does not answer" not in answer.text
    with dashboard.stream("GET", "/live?keys=at-risk") as stream:
        lines = stream.iter_lines()
        until("it listens", lambda: next(lines).endswith(" here"))
        writer.publish(f"{prefix}updates", "at-risk")
        until("it hears of it", lambda: next(lines) == "data: at-risk")


def test_that_user_may_do_nothing_else(store):
    _, prefix, url = store
    theirs = redis.Redis.from_url(url)
    assert theirs.get(f"{prefix}quality") is None
    for forbidden in (["SET", f"{prefix}quality", "x"], ["DEL", f"{prefix}quality"], ["GET", "another:key"], ["FLUSHALL"],
                      ["KEYS", "*"], ["SCAN", "0"], ["PUBLISH", f"{prefix}updates", "x"], ["CONFIG", "GET", "*"]):  # fmt: skip
        with pytest.raises(redis.ResponseError, match="permission"):
            theirs.execute_command(*forbidden)
