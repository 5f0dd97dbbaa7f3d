"""Every input of the score there is: its name, its unit, what it means to the business and what tells of it."""

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple


class Input(NamedTuple):
    """An input of the score: its name, the unit, what it means to the business, and what tells of it.

    told_by: the event types that it is read from. Of other types only somebody's first event can change it, since that
    makes them a user of the account as `member_added` does, and the account's first event, from which ages count.
    """

    name: str
    unit: str
    meaning: str
    told_by: tuple[str, ...]


VISITS = (
    "session_started", "task_started", "task_completed", "task_failed", "core_action", "usage_reported",
    "feature_configured",
)  # fmt: skip
"""What counts as a visit, if it was not automated."""
FEATURE_USES = "core_action", "task_completed", "feature_configured"
MEMBERSHIP = "member_added", "member_removed"
SESSION, REPORT, TRAITS = ("session_started",), ("usage_reported",), ("traits_set",)
OPENED, CLOSED = ("ticket_opened",), ("ticket_closed",)
LESSON, CHECK, ANSWER = ("lesson_completed",), ("concept_checked",), ("survey_answered",)
HELP, CONTACT = ("help_engaged",), ("cs_contacted",)
PAYMENTS = "payment_failed", "payment_succeeded"

INPUTS = (
    Input("days_since_visit", "days, at most 56", "how long ago the product was last used by a person", VISITS),
    Input("active_days", "days a week", "days with a visit in the last four weeks, as a rate", VISITS),
    Input("active_days_trend", "days a week", "the same, less that of the four weeks before", VISITS),
    Input("visitors", "users", "users with a visit in the last week; visits that name nobody are one user's", VISITS),
    Input(
        "weekly_share",
        "share of users",
        "users with a visit in the last week to those who belong to the account, at most 1: some may have left since",
        VISITS + MEMBERSHIP,
    ),
    Input(
        "utilisation",
        "share of users",
        "users with visits on [actions] regular_days_per_week days a week or more, over the last four weeks",
        VISITS + MEMBERSHIP,
    ),
    Input(
        "seat_utilisation",
        "share of seats",
        "users with a visit in the last week, of the seats that are paid for",
        VISITS + TRAITS,
    ),
    Input(
        "breadth",
        "distinct features",
        "features, tasks and kinds of amounts used in the last four weeks",
        FEATURE_USES + REPORT,
    ),
    Input(
        "configured", "distinct features", "features that were set up in the last eight weeks", ("feature_configured",)
    ),
    Input(
        "countries",
        "countries",
        "countries of the sessions of the last four weeks, as far as they were told",
        SESSION,
    ),
    Input("sessions", "sessions a week", "sessions of the last four weeks whose length was told, as a rate", SESSION),
    Input("session_minutes", "minutes", "mean length of those sessions", SESSION),
    Input("key_action_days", "days a week", "days with a key action in the last four weeks, as a rate", FEATURE_USES),
    Input("usage", "amount", "everything that usage reports counted in the last four weeks", REPORT),
    Input("usage_quarter", "amount", "the same, in the last quarter", REPORT),
    Input("usage_year", "amount", "the same, in the last 56 weeks", REPORT),
    Input("usage_trend", "log ratio", "that of the last four weeks, against the four weeks before", REPORT),
    Input(
        "days_since_report",
        "days, at most 392",
        "how long ago usage was last reported, be it that there was none",
        REPORT,
    ),
    Input("reports", "reports", "usage reports in the last four weeks", REPORT),
    Input("reports_quarter", "reports", "the same, in the last quarter", REPORT),
    Input("reports_year", "reports", "the same, in the last 56 weeks", REPORT),
    Input(
        "usage:*",
        "amount",
        "one amount of the usage reports in the last four weeks; unknown after 56 without any",
        REPORT,
    ),
    Input("usage_trend:*", "log ratio", "the same, against the four weeks before", REPORT),
    Input("automated:*", "amount", "one amount used by automation in the last four weeks", REPORT),
    Input("members", "users", "users who belong to the account: its size", MEMBERSHIP),
    Input("joined", "users", "users who joined in the last four weeks", MEMBERSHIP),
    Input("left", "users", "users who left in the last four weeks", MEMBERSHIP),
    Input(
        "tasks_completed",
        "tasks a user",
        "onboarding tasks completed so far, for each user",
        ("task_completed", *MEMBERSHIP),
    ),
    Input(
        "tasks_open",
        "tasks a user",
        "onboarding tasks begun and not completed, for each user",
        ("task_started", "task_completed", *MEMBERSHIP),
    ),
    Input(
        "trained_share",
        "share of active users",
        "of the users active in the last week, those who completed a lesson",
        VISITS + LESSON + MEMBERSHIP,
    ),
    Input(
        "trained_share:*",
        "share of active users",
        "the same, of the users in one role (champion, admin, member)",
        VISITS + LESSON + MEMBERSHIP,
    ),
    Input("champions", "users", "champions with a visit in the last week, where roles are told", VISITS + MEMBERSHIP),
    Input("champion_share", "share of visitors", "the same, of all users with a visit in it", VISITS + MEMBERSHIP),
    Input("lessons", "lessons", "lessons completed in the last quarter", LESSON),
    Input("comprehension", "share of answers", "concept checks answered correctly in the last quarter", CHECK),
    Input("help_cs", "helps", "help from customer success in the last four weeks", HELP),
    Input("help_other", "helps", "help from elsewhere in the last four weeks", HELP),
    Input("tickets", "tickets", "tickets opened in the last four weeks", OPENED),
    Input("tickets:*", "tickets", "the same, of one severity; unknown after 56 weeks without any", OPENED),
    Input("tickets_open", "tickets", "tickets opened in the last quarter, less those closed in it", OPENED + CLOSED),
    Input("nps", "0 to 10", "mean answer of the last quarter to how likely they are to recommend", ANSWER),
    Input("csat", "1 to 5", "mean answer of the last quarter to how satisfied they are", ANSWER),
    Input("cs_contacts", "contacts", "times that customer success was in contact in the last four weeks", CONTACT),
    Input(
        "cs_sentiment", "-1 to 1", "mean sentiment of the contacts of the last quarter of which it was told", CONTACT
    ),
    Input("payments_failed", "share of payments", "payments that failed in the last quarter", PAYMENTS),
    Input("age", "days", "days since the account's first event", ()),
    Input("customer_age", "days", "days since it became a paying customer", ("converted",)),
    Input("trait:*", "number", "a number told of the account, e.g. employees", TRAITS),
)
"""Every input there is. `[health] inputs` in livelift.toml chooses among them by name or pattern."""


@lru_cache(4096)
def input_of(name: str) -> Input | None:
    """The listed input that a name stands for: `usage:exports` is one of `usage:*`. None where none is listed."""
    found = [one for one in INPUTS if one.name == name or fnmatchcase(name, one.name)]
    return max(found, key=lambda one: (one.name == name, len(one.name)), default=None)
