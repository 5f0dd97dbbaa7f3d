"""A made-up year of education in many accounts, and what it comes to, computed a second time by pandas.

Nothing of the core is used but the builders of events: months, first tries, clusters are written out as data frames.
"""

from typing import Any

import numpy as np
import pandas as pd

from tests.support.build import Json, event, instant, tick

ACTIONS = ["core_action:board", "configured:sso"]
CONCEPTS, AREAS = ["filters", "roles:admin", "x/y"], ["billing", "a:b", None]
MONTHS = 4
DAYS = 118
"""From 5 May on into the end of August: May to July are over."""


def timeline(seed: int, accounts: int = 24, removals: bool = True) -> list[Json]:
    """Events in order of time with a tick a day. Months' borders are crossed; some users leave, and some come back."""
    draw = np.random.default_rng(seed)
    found: list[tuple[int, Json]] = []
    for account in range(accounts):
        for user in range(int(draw.integers(1, 7))):
            found += _user(draw, f"account-{account}", f"user-{user}", removals)
        for _ in range(int(draw.poisson(1.0))):  # tickets that name no person
            at = instant(*_moment(draw))
            found.append((at, event("ticket_opened", at, f"account-{account}", None, ticket="T", area="billing")))
    events = [one for _, one in sorted(found, key=lambda pair: pair[0])]
    return [*events, *(tick(instant(day)) for day in range(1, DAYS + 1))]


def _moment(draw: np.random.Generator) -> tuple[float, float]:
    return float(draw.integers(0, DAYS - 2)), float(draw.integers(0, 24))


def _user(draw: np.random.Generator, account: str, user: str, removals: bool) -> list[tuple[int, Json]]:
    kinds: list[tuple[str, float, Any]] = [
        ("session_started", 6, dict),
        ("core_action", 1.5, lambda: {"feature": str(draw.choice(["board", "other"]))}),
        ("feature_configured", 0.3, lambda: {"feature": "sso"}),
        ("lesson_started", 0.5, lambda: {"lesson": "one"}),
        ("lesson_completed", 0.7, lambda: {"lesson": "one"}),
        ("concept_checked", 2, lambda: {"concept": str(draw.choice(CONCEPTS)), "correct": bool(draw.random() < 0.5)}),
        ("survey_answered", 2, lambda: _answer(draw)),
        ("ticket_opened", 1, lambda: {"ticket": "T", **_area(draw)}),
        ("ticket_closed", 0.5, lambda: {"ticket": "T"}),
        ("cs_contacted", 0.3, dict),
        *([("member_removed", 0.15, dict), ("member_added", 0.1, dict)] if removals else []),
    ]
    found = []
    for kind, often, properties in kinds:
        for _ in range(int(draw.poisson(often))):
            at = instant(*_moment(draw))
            found.append((at, event(kind, at, account, user, **properties())))
    return found


def _answer(draw: np.random.Generator) -> Json:
    about = draw.choice(["product", "training", "support", ""])
    if draw.random() < 0.15:
        return {"survey": "csat", "score": 5}
    return {"survey": "nps", "score": int(draw.integers(0, 11)), **({"about": str(about)} if about else {})}


def _area(draw: np.random.Generator) -> Json:
    area = AREAS[int(draw.integers(0, 3))]
    return {} if area is None else {"area": area}


class ByPandas:
    """What a timeline comes to."""

    def __init__(self, events: list[Json]) -> None:
        rows = [
            {"type": one["type"], "at": one["at"], "account": one["account_id"], "user": one.get("user_id"),
             **dict.fromkeys(["feature", "concept", "correct", "survey", "score", "about", "area"]),
             **one["properties"]}
            for one in events if one["type"] != "tick"
        ]  # fmt: skip
        self.frame = pd.DataFrame(rows)
        self.frame["at"] = pd.to_datetime(self.frame["at"], utc=True, format="ISO8601")
        self.frame["month"] = self.frame["at"].dt.strftime("%Y-%m")
        self.frame = self.frame.sort_values("at", kind="stable")
        users = self.frame[self.frame.user.notna()]
        self.users = users.groupby(["account", "user"])
        self.months = sorted(self.frame.month.unique())

    def of(self, *types: str) -> pd.DataFrame:
        return self.frame[self.frame.type.isin(types)]

    def first(self, frame: pd.DataFrame) -> dict[tuple[str, str], pd.Timestamp]:
        """(account, user) -> the first instant."""
        frame = frame[frame.user.notna()]
        return frame.groupby(["account", "user"])["at"].min().to_dict()

    def key_actions(self) -> pd.DataFrame:
        done = self.of("core_action", "feature_configured").copy()
        done["name"] = np.where(done.type == "core_action", "core_action:", "configured:") + done.feature
        return done[done.name.isin(ACTIONS)]

    def here(self, month: str) -> set[tuple[str, str]]:
        """Users who belong to their account as a month ends: known, and the last word on them is no removal.

        Days count, not instants: of one day's words the last one does.
        """
        end = pd.Timestamp(f"{month}-01", tz="UTC") + pd.offsets.MonthBegin(1)
        known = self.frame[(self.frame["at"] < end) & self.frame.user.notna()]
        found = set(known.groupby(["account", "user"]).groups)
        words = known[known.type.isin(["member_added", "member_removed"])].groupby(["account", "user"]).type.last()
        return found - set(words[words == "member_removed"].index)

    def visited(self, month: str) -> set[tuple[str, str]]:
        used = self.of("session_started", "core_action", "feature_configured")
        used = used[(used.month == month) & used.user.notna()]
        return set(used.groupby(["account", "user"]).groups) & self.here(month)

    def trained_by(self, month: str) -> set[tuple[str, str]]:
        return self._by(self.first(self.of("lesson_completed")), month)

    def adopted_by(self, month: str) -> set[tuple[str, str]]:
        return self._by(self.first(self.key_actions()), month)

    def _by(self, firsts: dict[tuple[str, str], pd.Timestamp], month: str) -> set[tuple[str, str]]:
        return {who for who, at in firsts.items() if at.strftime("%Y-%m") <= month} & self.here(month)

    def first_tries(self) -> pd.DataFrame:
        """One row a user and concept: whether the first try was right (of one instant, wrong counts)."""
        checks = self.of("concept_checked").sort_values(["at", "correct"], kind="stable")
        return checks.groupby(["account", "user", "concept"], as_index=False).first()
