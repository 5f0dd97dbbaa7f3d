"""Onboarding and education: where people are lost, who is stuck, and how customer education goes."""

from collections.abc import Mapping
from typing import Any

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Json, Read
from consumers.dashboard.views import education as views
from consumers.dashboard.views import education_charts as charts
from consumers.dashboard.views import onboarding
from models.keys import RANKING, account_key

MOST = 200
"""Accounts whose users are gone through: those on the capacity list, then those with the lowest scores. The funnel
counts everybody; reading every account's users for each page that is open would not end."""
AT_ONCE = 25
"""Stuck users on one page."""


async def education(read: Read, asked: Asked) -> View:
    """The funnel, who is stuck, help, trends; adoption, comprehension, surveys, tickets, what came first."""
    funnel, found, at_risk, listed = await read.many(["funnel", "education", "at-risk", "experiments"])
    accounts, of = await _accounts(read, at_risk)
    signals = await read.journeys_of(accounts)
    in_trouble = [one for one, users in signals.items() if any(map(onboarding.in_trouble, users.values()))]
    names = onboarding.names_of(await read.many([account_key(one) for one in in_trouble]))
    chosen = onboarding.chosen_experiment(listed, asked.get("experiment", ""))
    key = f"experiment:{chosen.name}"
    experiment = await read.get(key) if chosen.name in chosen.names else None
    journeys = onboarding.journeys(funnel)
    return View(
        "Onboarding and education",
        "education.html",
        {
            "funnel": funnel, "education": found, **({} if experiment is None else {key: experiment}),
            "journeys": {one: signals[one] for one in in_trouble}, "looked-at": {"accounts": len(accounts), "of": of},
        },
        {
            "funnel": funnel, "education": found, "journeys": [_journey(*one) for one in journeys.items()],
            "stuck": _stuck(onboarding.stuck(signals, names), asked), "stuck_in_all": onboarding.stuck_count(journeys),
            "looked_at": len(accounts), "of": of, "helped": onboarding.helped(signals, journeys),
            "trends": _trends(experiment), "chosen": chosen, "experiment": experiment,
            "asked_experiment": asked.get("experiment", ""),
            "told": None if found is None or found["month"] is None else _told(found),
        },
        ("funnel", "education", "at-risk", "experiments", *((key,) if chosen.name else ())),
    )  # fmt: skip


async def _accounts(read: Read, at_risk: Json | None) -> tuple[list[str], int]:
    """Accounts to go through, and how many there are."""
    first = [one["account_id"] for one in (at_risk or {}).get("accounts", ())]
    lowest = [account_id for account_id, _ in await read.ranked(RANKING, 0, MOST)]
    return [*dict.fromkeys([*first, *lowest])][:MOST], await read.size(RANKING)


def _journey(name: str, journey: onboarding.Json) -> dict[str, Any]:
    says = onboarding.funnel_in_words(name, journey)
    return {
        "name": name, "users": journey["users"], "tasks": onboarding.tasks(journey), "says": says,
        "chart": charts.funnel(journey, says) if journey["users"] else None, "doses": onboarding.doses(journey),
        "rule": onboarding.trouble_rule(journey), "out_of_order": journey["out_of_order"], "helped": journey["helped"],
    }  # fmt: skip


def _stuck(people: list[onboarding.Stuck], asked: Asked) -> dict[str, Any]:
    """A page of those who are stuck, as asked for by journey, task and page."""
    journey, task, page = asked.get("journey", ""), asked.get("task", ""), asked.get("page", "1")
    found = onboarding.chosen(people, journey, task)
    last = max(1, -(-len(found) // AT_ONCE))
    number = min(max(1, int(page)), last) if page.isascii() and page.isdigit() and len(page) < 10 else 1
    return {
        "rows": found[(number - 1) * AT_ONCE : number * AT_ONCE], "count": len(found), "all": len(people),
        "page": number, "pages": last, "journey": journey, "task": task,
        "journeys": sorted({one.journey for one in people}), "tasks": sorted({one.task for one in people}),
    }  # fmt: skip


TITLES = {
    "by_hour": ("hour of the day", "Begun at hour of the day (UTC)"),
    "by_day": ("day since assignment", "Days since assignment"),
    "by_experience": ("tasks completed before", "Tasks completed before"),
}


def _trends(experiment: Json | None) -> list[dict[str, Any]]:
    success = (experiment or {}).get("success")
    found = []
    for name, rows in onboarding.trends(success).items():
        what, title = TITLES[name]
        says = onboarding.trend_in_words(what, rows)
        chart = charts.trend((success or {})[name], onboarding.TRENDS[name], title, says)
        found.append({"id": name.replace("_", "-"), "title": title, "rows": rows, "says": says, "chart": chart})
    return found


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of the `education` snapshot, as it is said."""
    adoption, activity, comprehension, tickets = (
        found[one] for one in ("adoption", "activity", "comprehension", "tickets")
    )
    months, rows = views.survey_months(found["nps"]), views.ticket_months(tickets)
    survey_says = views.surveys_in_words(months) if months else ""
    ticket_says = views.tickets_in_words(tickets) if rows else ""
    understood = comprehension["adoption"]
    return {
        "month": found["month"], "surveys": views.surveys(found["nps"]), "survey_says": survey_says,
        "survey_chart": charts.surveys(months, survey_says) if months else None,
        "survey_rows": views.survey_rows(months),
        "no_adoption": adoption.get("because"),
        "adopted": views.adopted(adoption) if "users" in adoption else [],
        "adoption_months": views.adoption_months(adoption.get("by_month", [])),
        "adoption_training": views.correlation(adoption.get("against_training"), "users of a key action"),
        "activity": views.activity(activity["by_month"]), "activity_because": activity.get("because"),
        "activity_training": views.correlation(activity["against_training"], "active in a month"),
        "understood": [] if understood["understood"] is None else views.understood(understood),
        "understood_because": understood.get("because"), "understood_note": understood.get("note", ""),
        "concepts": views.concepts(comprehension["concepts"]), "coverage": views.coverage(found["coverage"]),
        "ticket_chart": charts.tickets(rows, tickets["annotations"], ticket_says) if rows else None,
        "ticket_says": ticket_says, "ticket_rows": views.ticket_rows(tickets),
        "ticket_changes": views.ticket_changes(tickets), "around": views.around(tickets["annotations"]),
        "ticket_note": tickets["note"], "sequence": views.sequence(found["sequence"]["pairs"]),
        "sequence_note": found["sequence"]["note"], "history": views.history(found["sequence"]["history_since"]),
    }  # fmt: skip


PAGES = (
    Page("/education", "/education", education, "Where people are lost, who is stuck, and how education goes",
         ("journey", "task", "page", "experiment")),
)  # fmt: skip
