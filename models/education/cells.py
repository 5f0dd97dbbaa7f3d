"""What one user adds to the counts of education, whatever account they are in: (partial, name, key, amount).

Counts by month are of months' ends. Of what lasts, a user adds one to the month in which it began and takes one from
that in which they were removed: adding up to a month gives how many there were as it ended.
"""

from collections.abc import Iterable, Iterator

from models.education.learner import Answers, Learner, since_in
from models.education.months import month_at
from models.education.sequence import only_one

Cell = tuple[str, str, int | str, int]
USERS, CONCEPTS, SURVEYS, TICKETS = "users", "concepts", "surveys", "tickets"
"""The partials; those of surveys and tickets are one for each matter and area."""
ANY_MONTH = 0
"""In place of a month: all of a respondent's answers that are kept."""


def cells(learner: Learner) -> Iterator[Cell]:
    """Everything that this user adds."""
    yield from _by_month(learner)
    if learner.present:
        yield from _now(learner)
    if learner.checks:
        yield from _concepts(learner)
    if learner.answers:
        for about in {about for about, _ in learner.answers}:
            yield from _respondent(f"{SURVEYS}:{about}", dict(_answered(learner, about)))


def _by_month(learner: Learner) -> Iterator[Cell]:
    trained, _, adopted = learner.milestones
    for stay in learner.stays:
        lasting: tuple[tuple[str, int | None], ...] = (("known", stay[0]),)
        if trained is not None or adopted is not None:
            lasting += (("trained", since_in(stay, trained)), ("adopted", since_in(stay, adopted)))
        for name, since in lasting:
            if since is not None:
                yield USERS, name, since, 1
                if stay[1] is not None:
                    yield USERS, name, stay[1], -1
    for month in learner.months:
        yield USERS, "active", month, 1
    for month in trained_months(learner):
        yield USERS, "active_trained", month, 1


def trained_months(learner: Learner) -> tuple[int, ...]:
    """The months in which the user was active and, as they ended, trained."""
    trained = learner.milestones[0]
    if trained is None:
        return ()
    since = month_at(trained)
    return tuple(month for month in learner.months if month >= since)


def _now(learner: Learner) -> Iterator[Cell]:
    """Of a user who belongs to the account: whether they are trained, and have adopted and understood the product.

    Those who have neither learned nor adopted, most at first, are what is left of all.
    """
    if learner.trained:
        yield USERS, "trained_now", "adopted" if learner.adopted else "not_adopted", 1
    if learner.adopted:
        yield USERS, "adoption", comprehension_of(learner), 1
    for action in learner.actions:
        yield USERS, "did", action, 1
    for pair, which in only_one(learner.milestones):
        yield USERS, pair, which, 1


def comprehension_of(learner: Learner) -> str:
    """Whether a user who has adopted the product understood it, or only uses it, and whether they were asked."""
    if learner.understood is None:
        return "not_asked"
    return "understood" if learner.understood else "answered_wrong"


def _concepts(learner: Learner) -> Iterator[Cell]:
    for concept, correct in learner.checks.items():
        yield CONCEPTS, "checked", concept, 1
        if correct:
            yield CONCEPTS, "correct", concept, 1
        if learner.adopted:
            yield CONCEPTS, "adopted", concept, 1
            if correct:
                yield CONCEPTS, "understood", concept, 1


def _answered(learner: Learner, about: str) -> Iterable[tuple[int, Answers]]:
    total = Answers()
    for (on, month), answers in learner.answers.items():
        if on == about:
            total = Answers(*map(sum, zip(total, answers, strict=True)))
            yield month, answers
    yield ANY_MONTH, total


def _respondent(id_: str, answers: dict[int, Answers]) -> Iterator[Cell]:
    """A respondent as a cluster: what they answered, and the products of how often and how, month by month."""
    for month, one in answers.items():
        yield id_, "promoters", month, one.promoters
        yield id_, "detractors", month, one.detractors
        yield id_, "answers", month, one.count
        for other, another in answers.items():
            if month == other or ANY_MONTH not in (month, other):
                pair = f"{month}:{other}"
                yield id_, "counts_net", pair, one.count * another.net
                if month <= other:
                    yield id_, "respondents", pair, 1
                    yield id_, "counts", pair, one.count * another.count
                    yield id_, "nets", pair, one.net * another.net
