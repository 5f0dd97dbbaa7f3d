"""Inputs of a score in the few words that fit into a message; what each means exactly is in the table of inputs."""

from typing import NamedTuple

from models.alerts.names import name
from models.basis import HEURISTIC
from models.health.listed import input_of
from models.index import INPUTS

OF_INDEX = {
    "recency": "Recency of the last visit (full today, none after four weeks)",
    "frequency": "Days with a visit, of those that count as regular",
    "breadth": "Features and tasks in use, of those that count as full breadth",
    "share_active": "Users active in the last week",
}
OF_MODEL = {
    "days_since_visit": "Time since the last visit",
    "active_days": "Days with a visit",
    "active_days_trend": "Days with a visit, against the four weeks before",
    "visitors": "Users active in the last week",
    "weekly_share": "Share of users active in the last week",
    "utilisation": "Users who are there regularly",
    "seat_utilisation": "Paid seats in use",
    "breadth": "Features in use",
    "configured": "Features set up of late",
    "countries": "Countries",
    "sessions": "Sessions",
    "session_minutes": "Length of a session",
    "key_action_days": "Days with a key action",
    "usage": "Usage in four weeks",
    "usage_quarter": "Usage in a quarter",
    "usage_year": "Usage in a year",
    "usage_trend": "Usage, against the four weeks before",
    "days_since_report": "Time since usage was last reported",
    "reports": "Usage reports in four weeks",
    "reports_quarter": "Usage reports in a quarter",
    "reports_year": "Usage reports in a year",
    "usage:*": "Usage of {} in four weeks",
    "usage_trend:*": "Usage of {}, against the four weeks before",
    "automated:*": "Automated use of {} in four weeks",
    "members": "Users of the account",
    "joined": "Users who joined in four weeks",
    "left": "Users who left in four weeks",
    "tasks_completed": "Onboarding tasks completed",
    "tasks_open": "Onboarding tasks open",
    "trained_share": "Active users who are trained",
    "trained_share:*": "Active users who are trained, of those who are {}",
    "champions": "Champions active in the last week",
    "champion_share": "Share of champions among those active",
    "lessons": "Lessons completed in a quarter",
    "comprehension": "Concept checks answered correctly",
    "help_cs": "Help from customer success in four weeks",
    "help_other": "Help from elsewhere in four weeks",
    "tickets": "Tickets opened in four weeks",
    "tickets:*": "Tickets of severity {} in four weeks",
    "tickets_open": "Tickets open",
    "nps": "Would recommend, mean answer of a quarter",
    "csat": "Satisfaction, mean answer of a quarter",
    "cs_contacts": "Contacts with customer success in four weeks",
    "cs_sentiment": "Mood of the contacts",
    "payments_failed": "Payments that failed in a quarter",
    "age": "Age of the account",
    "customer_age": "Time as a paying customer",
    "trait:*": "{}, as told of the account",
}


class Meaning(NamedTuple):
    """What an input is, in plain words, and its unit as in the table of inputs."""

    label: str
    unit: str


def meaning_of(feature: str, basis: str) -> Meaning:
    """An input of a score that rests on this basis; of one that is not listed, its name."""
    if basis == HEURISTIC:
        listed = next((one for one in INPUTS if one.name == feature), None)
        return _named(feature) if listed is None else Meaning(OF_INDEX[feature], listed.unit)
    asked = input_of(feature)
    return (
        _named(feature)
        if asked is None
        else Meaning(OF_MODEL[asked.name].format(name(feature.partition(":")[2])), asked.unit)
    )


def _named(feature: str) -> Meaning:
    return Meaning(name(feature), "number")
