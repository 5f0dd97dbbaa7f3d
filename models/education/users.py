"""How users read: key actions and monthly activity against training, comprehension, coverage, and what came first."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from models.education.learner import SOURCES
from models.education.months import name_of
from models.education.sequence import PAIRS
from models.education.tetrachoric import approximate, likeliest
from models.readout.written import bounds, number

Merged = Mapping[str, Mapping[str, int]]
MOTIVATION = "Associated, not caused: trained and untrained differ in motivation."
METHOD = (
    "maximum likelihood, interval by the delta method on Fisher's z scale, users taken as independent of each other"
)
CORRECTED = "a cell of the table is empty: a half was added to each"
ONE_SIDED = "the table has only one kind of user"
NO_KEY = "no key action is configured: name them in livelift.toml, [actions] key"
UNDERSTOOD = (
    "Adopted: did a key action. Understood: adopted, and more than half of their first tries at concepts were right. "
    "Used only: adopted, but answered wrong or was never asked. Use alone does not show comprehension."
)
SEQUENCE = (
    "Before: the first of the pair came first. An order is told only if the source of the later one was observed for "
    "the account from before the earlier one; else it is unknown. What came first need not be a cause."
)


def share(part: int, whole: int) -> float | None:
    """A share of users or accounts; None of nobody."""
    return number(part / whole) if whole else None


def up_to(sums: Merged, name: str, months: Sequence[int]) -> dict[int, int]:
    """How many there were as each of these months ended."""
    steps = {int(month): count for month, count in sums.get(name, {}).items()}
    if not months:
        return {}
    start = sum(count for month, count in steps.items() if month < months[0])
    return dict(
        zip(months, list(accumulate((steps.get(month, 0) for month in months), initial=start))[1:], strict=True)
    )


def users_of(sums: Merged) -> int:
    """Users who belong to their account now."""
    return sum(sums.get("known", {}).values())


def in_month(sums: Merged, name: str, month: int) -> int:
    return sums.get(name, {}).get(str(month), 0)


def correlation(both: int, trained: int, other: int, neither: int) -> dict[str, Any]:
    """A table of the trained and those who did something, and the correlation behind it, by either formula."""
    found = likeliest(both, trained, other, neither)
    short = approximate(both, trained, other, neither)
    table = {"both": both, "only_trained": trained, "only_untrained": other, "neither": neither}
    if found is None or short is None:
        return {"table": table, "approximation": None, "tetrachoric": None, "because": ONE_SIDED, "note": MOTIVATION}
    return {
        "table": table,
        "approximation": number(short),
        "tetrachoric": {
            "estimate": number(found.estimate),
            "se": number(found.se),
            "ci": bounds(found.low, found.high),
            "method": METHOD,
        },
        **({"corrected": CORRECTED} if found.corrected else {}),
        "note": MOTIVATION,
    }


def read_adoption(sums: Merged, actions: Sequence[str], months: Sequence[int]) -> dict[str, Any]:
    """Key actions: who has ever done one, and whether the trained more often than the untrained."""
    if not actions:
        return {"share": None, "because": NO_KEY}
    trained, users, did = sums.get("trained_now", {}), users_of(sums), sums.get("did", {})
    both, only_trained = trained.get("adopted", 0), trained.get("not_adopted", 0)
    only_untrained = sum(sums.get("adoption", {}).values()) - both
    neither = users - both - only_trained - only_untrained
    known, adopted = up_to(sums, "known", months), up_to(sums, "adopted", months)
    return {
        "users": users,
        "adopted": both + only_untrained,
        "share": share(both + only_untrained, users),
        "actions": {name: {"users": did.get(name, 0), "share": share(did.get(name, 0), users)} for name in actions},
        "by_month": [
            {
                "month": name_of(month),
                "users": known[month],
                "adopted": adopted[month],
                "share": share(adopted[month], known[month]),
            }
            for month in months
            if known[month]
        ],
        "against_training": correlation(both, only_trained, only_untrained, neither),
    }


def read_activity(sums: Merged, months: Sequence[int], month: int | None) -> dict[str, Any]:
    """Monthly active users, and whether the trained are active more often. month: the one the table is of."""
    known, trained = up_to(sums, "known", months), up_to(sums, "trained", months)
    by_month = []
    for one in months:
        active, active_trained = in_month(sums, "active", one), in_month(sums, "active_trained", one)
        if known[one]:
            by_month.append({
                "month": name_of(one),
                "users": known[one],
                "trained": trained[one],
                "active": active,
                "active_trained": active_trained,
                "share_active": share(active, known[one]),
                "share_of_active_trained": share(active_trained, active),
            })  # fmt: skip
    if month is None:
        return {"by_month": by_month, "against_training": None, "because": "no month has users yet"}
    both, active = in_month(sums, "active_trained", month), in_month(sums, "active", month)
    only_trained, only_untrained = trained[month] - both, active - both
    table = correlation(both, only_trained, only_untrained, known[month] - trained[month] - only_untrained)
    return {"by_month": by_month, "against_training": {"month": name_of(month), **table}}


def read_coverage(sums: Merged, months: Sequence[int]) -> list[dict[str, Any]]:
    """By month: accounts with active users and those of them with a trained one; active users and those trained."""
    found = []
    for month in months:
        accounts, covered = (in_month(sums, name, month) for name in ("accounts_active", "accounts_trained"))
        users, trained = (in_month(sums, name, month) for name in ("active", "active_trained"))
        if accounts:
            found.append({
                "month": name_of(month),
                "accounts": {"active": accounts, "with_trained_user": covered, "share": share(covered, accounts)},
                "users": {"active": users, "trained": trained, "share": share(trained, users)},
            })  # fmt: skip
    return found


def read_comprehension(sums: Merged, concepts: Merged, names: Sequence[str], actions: Sequence[str]) -> dict[str, Any]:
    """Concepts by their first answers, and adoption split by whether what is used is understood."""
    split, users = sums.get("adoption", {}), users_of(sums)
    understood, wrong, unasked = (split.get(name, 0) for name in ("understood", "answered_wrong", "not_asked"))
    told: dict[str, Any] = {
        "users": users,
        "understood": understood,
        "used_only": {"users": wrong + unasked, "answered_wrong": wrong, "not_asked": unasked},
        "neither": users - understood - wrong - unasked,
        "note": UNDERSTOOD,
    }
    return {
        "concepts": {name: _concept(concepts, name) for name in names},
        "adoption": told if actions else {"understood": None, "because": NO_KEY},
    }


def _concept(concepts: Merged, name: str) -> dict[str, Any]:
    checked, correct, adopted, understood = (
        concepts.get(what, {}).get(name, 0) for what in ("checked", "correct", "adopted", "understood")
    )
    return {
        "checked": checked,
        "first_try_correct": correct,
        "share": share(correct, checked),
        "adopted": adopted,
        "adopted_and_correct": understood,
    }


def read_sequence(sums: Merged, actions: Sequence[str]) -> dict[str, Any]:
    """For each pair of milestones, of how many users which came first, and of how many that is not known."""
    pairs = []
    for first, second in PAIRS:
        found = sums.get(f"{first}:{second}", {})
        names = ("before", "after", "unknown", f"only_{first}", f"only_{second}")
        told: dict[str, Any] = {"first": first, "second": second, **{name: found.get(name, 0) for name in names}}
        if "adoption" in (first, second) and not actions:
            told = {"first": first, "second": second, **dict.fromkeys(names), "because": NO_KEY}
        pairs.append(told)
    return {"pairs": pairs, "history_since": {source: _history(sums, source) for source in SOURCES}, "note": SEQUENCE}


def _history(sums: Merged, source: str) -> dict[str, Any]:
    """Of how many accounts the source has been heard of, by the month since when."""
    months = {int(month): count for month, count in sums.get(f"history:{source}", {}).items()}
    by_month = {name_of(month): months[month] for month in sorted(months)}
    return {"accounts": sum(months.values()), "since": by_month}
