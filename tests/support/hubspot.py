"""Real freemium accounts as a recording: weekly usage reports, and the day on which some became customers.

A row of the table is dated on a Monday and counts what was used in the week that begins then: the dip of Christmas is in
the row of 23 December. So it can be read in two ways, and which one decides how good a score looks:

- `dated`: a report comes on the day whose date it bears. A snapshot at the end of a Monday then knows up to six days
  that are still to come. That is how the published comparison was made.
- `honest`: it comes when the week it is about is over, at the end of its Sunday.
"""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from models.clock import DAY, rfc3339
from models.events import instant
from models.health.example import hash_of
from tests.support.shared_data import DATA

Known = Literal["dated", "honest"]
FOLDER = DATA / "hubspot_freemium"
INPUTS = (
    "usage", "usage_quarter", "usage_year", "usage_trend", "breadth", "age", "days_since_report", "reports",
    "reports_quarter", "reports_year", "usage:*", "days_since_visit", "active_days", "weekly_share",
)  # fmt: skip
"""General ones, without those that are known of some accounts only (MRR, ranks, sizes): they would tell who is who."""
SETTINGS = """\
people_are_accounts = false

[label]
kind = "conversion"
horizon_days = {horizon_days}
unscored_days = 0

[health]
week_ends_on = "{week_ends_on}"
inputs = {inputs}
"""
KNOWN: tuple[Known, ...] = ("dated", "honest")
LAST = {"dated": "2020-07-20", "honest": "2020-07-26"}
"""The last day that the table tells everything of: labels that would be known later are not."""
FIRST_JUDGED = {"dated": 18_267, "honest": 18_273}
"""2020-01-06 and 2020-01-12, as days since 1970: the first snapshots of the comparison."""


def write_hubspot(folder: Path, known: Known, every: int = 1) -> None:
    """The accounts as a recording that `livelift replay` and `livelift backtest` read. every: one of so many accounts,
    by hash."""
    folder.mkdir(parents=True, exist_ok=True)
    ends, days = {"dated": ("monday", 27), "honest": ("sunday", 28)}[known]
    (folder / "livelift.toml").write_text(
        SETTINGS.format(week_ends_on=ends, horizon_days=days, inputs=json.dumps(INPUTS))
    )
    with (folder / "events.jsonl").open("w") as out:
        told = (one for one in (*_reports(known), *_conversions()) if hash_of(one["account_id"]) % every == 0)
        out.writelines(json.dumps(one) + "\n" for one in [*told, *_ticks(known)])


def _reports(known: Known) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(_table("usage_actions")):
        used = {name.lower(): float(value) for name, value in row.items() if name.startswith(("ACTIONS", "USERS"))}
        monday = datetime.fromisoformat(row["WHEN_TIMESTAMP"]).replace(tzinfo=UTC)
        at = monday + (timedelta(hours=12) if known == "dated" else timedelta(days=6, hours=12))
        yield _event("product-events", f"usage-{number}", "usage_reported", at, row["id"], used)


def _conversions() -> Iterator[dict[str, Any]]:
    """What a customer pays is left out: it is known of those only who have converted."""
    for row in _table("customers"):
        at = datetime.fromisoformat(row["CLOSEDATE"]).replace(tzinfo=UTC) + timedelta(hours=18)
        yield _event("conversion-events", f"close-{row['id']}", "converted", at, row["id"], {})


def _ticks(known: Known) -> Iterator[dict[str, Any]]:
    """One an end of a day, one hour late, to the last day that is known."""
    first = instant(datetime(2019, 1, 7, tzinfo=UTC))
    last = instant(datetime.fromisoformat(LAST[known]).replace(tzinfo=UTC))
    for at in range(first + DAY, last + 2 * DAY, DAY):
        yield {"type": "tick", "at": rfc3339(at + DAY // 24)}


def _event(topic: str, id_: str, kind: str, at: datetime, account: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": topic, "id": id_, "type": kind, "at": at.isoformat(), "account_id": account, "properties": properties,
    }  # fmt: skip


def _table(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="") as lines:
        yield from csv.DictReader(lines)
