"""An account's roll-up: integer sums over its users' rows, held in memory and rebuilt from rows at any time.

What is not a sum by nature (distinct active users) is kept as a sum of one-hot counts by day: a user is counted on
each day on which they were active, and, in `weekly`, on each day with a visit in the seven days up to it. So the
number of weekly active users as of any day is one look-up, and removing a user is subtracting the same ones.
"""

from typing import NamedTuple

from models.arms import Unit
from models.clock import DAY, LAST_INSTANT
from models.dated import Sums
from models.education.sums import OfAccount
from models.keeping import DAYS_KEPT
from models.rows import NEVER, Close
from models.subject import NOTHING_SHARED, Shared, Subject
from models.tally import Clusters

WEEKLY_DAYS = 7
REGULAR_DAYS = 28
"""Days over which regular use is averaged."""


class Said(NamedTuple):
    """What a score message says of an account; another message is sent when this differs. Scores in hundredths."""

    score: int
    band: str
    band_since: int | None
    """The day since which the account is in it: days that have closed in it, and the present one; None before any."""
    close_score: int | None
    close_band: str | None
    change_7d: int | None
    mrr: int | None
    renews_at: int | None
    event_has_come: bool
    """Whether what the score is the chance of has happened already (`health.label`)."""
    basis: str
    signs: tuple[int | None, ...]
    """What customer success acts on whatever the score says (`signs.Signs`)."""
    training: tuple[int, int, int, int, int | None]
    """How far its users are trained (`training.Training`)."""
    traits: bytes
    """Who it is, as a JSON object: equal only if it is written the same (1 is neither 1.0 nor true)."""


LAST_DAY = LAST_INSTANT // DAY


class Account:
    """Sums over the rows of one account, and what was last said about it."""

    __slots__ = ("began", "closes", "clusters", "countries", "dated", "days", "education", "features", "joined",
                 "left", "mrr", "newest", "regular", "renewals", "roles", "rows", "said", "shared", "subjects",
                 "trained", "unit", "weekly")  # fmt: skip

    def __init__(self) -> None:
        self.rows: set[bytes] = set()
        """The keys of its rows; without any, the account is gone."""
        self.began: dict[int, int] = {}
        """day -> rows whose first event fell on it."""
        self.days: dict[int, int] = {}
        self.weekly: dict[int, int] = {}
        self.regular: dict[int, int] = {}
        """day -> users who belonged to the account and, in the four weeks up to it, used it as often as is regular."""
        self.trained: dict[int, int] = {}
        """Like `weekly`, of users who have completed a lesson and have not been removed."""
        self.roles: dict[str, dict[int, int]] = {}
        """Like `weekly`, of users in a role (`champion`), and of those of them who are trained (`trained:champion`)."""
        self.dated: Sums = {}
        """name -> day -> amount in millionths, over all rows."""
        self.features: dict[str, dict[int, int]] = {}
        """feature -> day -> users who used it."""
        self.newest: dict[str, int] = {}
        """feature -> the latest of its days."""
        self.education = OfAccount()
        self.countries: dict[str, dict[int, int]] = {}
        """country -> day -> users who visited from there."""
        self.joined: dict[int, int] = {}
        self.left: dict[int, int] = {}
        self.subjects: dict[bytes, Subject] = {}
        """Row key -> what experiments randomised by account ask of it; kept only while there are such plans."""
        self.unit: dict[str, Unit] = {}
        """experiment -> this account as one unit of it."""
        self.clusters: dict[str, Clusters] = {}
        """experiment -> what its units add up to there: an account is one cluster."""
        self.shared: Shared = NOTHING_SHARED
        """What its own row says of every user in it."""
        self.closes: list[Close] = []
        self.mrr: dict[bytes, tuple[int, int]] = {}
        """Row key -> (when, monthly revenue in millionths), where one was told."""
        self.renewals: dict[bytes, tuple[int, int]] = {}
        """Row key -> (when, the contract's renewal in microseconds), where one was told."""
        self.said: Said | None = None
        """What was last sent to `account-scores`; None after a start: then the next touch sends again."""

    @property
    def latest_mrr(self) -> int | None:
        """The monthly revenue last told of, over all of the account's rows, in millionths."""
        return max(self.mrr.values(), default=(NEVER, None))[1]

    @property
    def latest_renewal(self) -> int | None:
        """When the contract renews, as last told of, over all of the account's rows, in microseconds."""
        return max(self.renewals.values(), default=(NEVER, None))[1]

    @property
    def first_day(self) -> int:
        """The day of the account's first event: days before are not its days."""
        return min(self.began, default=LAST_DAY)

    def users_on(self, day: int) -> int:
        """Users known and not removed by the end of a day."""
        return _up_to(self.joined, day) - _up_to(self.left, day)

    def breadth(self, day: int, window: int) -> int:
        """Distinct features and tasks used in the `window` days up to `day`."""
        oldest, newest = day - window, self.newest
        if max(newest.values(), default=day) <= day:
            return sum(map(oldest.__lt__, newest.values()))
        within = range(oldest + 1, day + 1)
        return sum(not used.keys().isdisjoint(within) for used in self.features.values())

    def shift_feature(self, name: str, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Move one user's days of a feature from an old (top day, mask) to a new one."""
        shift_named(self.features, name, old, new)
        top, mask = new
        if mask and (latest := top + 1 - (mask & -mask).bit_length()) >= self.newest.get(name, NEVER):
            self.newest[name] = latest
        elif name in self.features:
            self.newest[name] = max(self.features[name])
        else:
            self.newest.pop(name, None)

    @property
    def last_day(self) -> int:
        """The latest day of any use, or -1."""
        return max(self.days, default=-1)

    def changes(self) -> set[int]:
        """The days on which anything happened that a score rests on: up to five weeks later it may move by itself."""
        return {
            *self.began,
            *self.joined,
            *self.left,
            *self.days,
            *(day for days in self.features.values() for day in days),
        }


def _up_to(counts: dict[int, int], day: int) -> int:
    if not counts:
        return 0
    return sum(counts.values()) if max(counts) <= day else sum(count for d, count in counts.items() if d <= day)


def weekly_mask(days: int) -> int:
    """Days on which a user counts as weekly active, counted back from six days after their latest day."""
    spread = days | days << 1
    spread |= spread << 2
    return spread | spread << 3


LANES = DAYS_KEPT + REGULAR_DAYS - 1
ALL, WINDOW = (int.from_bytes(b"\1" * lanes, "big") for lanes in (LANES, REGULAR_DAYS))


def regular_mask(days: int, least: int) -> int:
    """Days on which a user was active on at least so many of the 28 days up to them, counted back from 27 days after
    their latest day. Days are bytes of one number here: multiplying it by 28 ones adds up every window at once."""
    if days.bit_count() < least:
        return 0
    active = int.from_bytes(f"{days:b}".encode(), "big") & ALL
    reached = (active * WINDOW + (128 - least) * ALL) >> 7 & ALL
    return int((reached | ALL * ord("0")).to_bytes(LANES, "big"), 2)


def shift_days(sums: dict[int, int], old: tuple[int, int], new: tuple[int, int]) -> None:
    """Move one user's days in a sum from an old (top day, mask) to a new one; only the days that differ are touched."""
    (old_top, old_mask), (new_top, new_mask) = old, new
    top = max(old_top, new_top)
    old_mask <<= top - old_top
    new_mask <<= top - new_top
    changed = old_mask ^ new_mask
    while changed:
        bit = changed & -changed
        day = top - bit.bit_length() + 1
        count = sums.get(day, 0) + (1 if new_mask & bit else -1)
        if count:
            sums[day] = count
        else:
            del sums[day]
        changed ^= bit


def shift_named(named: dict[str, dict[int, int]], name: str, old: tuple[int, int], new: tuple[int, int]) -> None:
    """The same, in the sum that is kept under a name; a sum of nothing is let go."""
    sums = named.setdefault(name, {})
    shift_days(sums, old, new)
    if not sums:
        del named[name]


assert weekly_mask(1).bit_count() == WEEKLY_DAYS and DAYS_KEPT >= 2 * WEEKLY_DAYS
