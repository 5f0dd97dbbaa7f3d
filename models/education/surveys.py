"""How surveys read: the NPS of the product, of training and of support apart, by month and whether it has changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.education.cells import ANY_MONTH
from models.education.months import name_of
from models.education.promoters import Change, Net, Shared, change, score
from models.readout.written import bounds, chance, explained, number

Merged = Mapping[str, Mapping[str, int]]
NOBODY_ASKED = "nobody has answered"
ALIKE = "the error is not known of fewer than two respondents, or of answers that are all of one kind"
ONE_MONTH = "there are answers in fewer than two months"


def read_survey(sums: Merged, months: Sequence[int]) -> dict[str, Any]:
    """The NPS on one matter. months: those that are told of, in order."""
    asked = [month for month in months if _at(sums, "answers", str(month))]
    return {
        **_read(sums, ANY_MONTH),
        "by_month": [{"month": name_of(month), **_read(sums, month)} for month in asked],
        "change": _change(sums, asked),
    }


def _read(sums: Merged, month: int) -> dict[str, Any]:
    net = net_in(sums, month)
    found = score(net)
    because = NOBODY_ASKED if found.value is None else ALIKE
    told = {
        "nps": None if found.value is None else number(found.value),
        "se": None if found.se is None else number(found.se),
        "ci": None if found.low is None or found.high is None else bounds(found.low, found.high),
        "answers": net.answers,
        "respondents": net.respondents,
        "promoters": _at(sums, "promoters", str(month)),
        "detractors": _at(sums, "detractors", str(month)),
    }
    return explained(told, because)


def _change(sums: Merged, asked: Sequence[int]) -> dict[str, Any]:
    if len(asked) < 2:
        return {"difference": None, "because": ONE_MONTH}
    before, after = asked[-2:]
    found = change(net_in(sums, before), net_in(sums, after), shared_in(sums, before, after))
    months = {"from": name_of(before), "to": name_of(after)}
    if found is None:
        return {**months, "difference": None, "because": ALIKE}
    return {**months, **_change_in_words(found)}


def _change_in_words(found: Change) -> dict[str, Any]:
    return {
        "difference": number(found.difference),
        "se": number(found.se),
        "ci": bounds(found.low, found.high),
        "p": chance(found.p),
    }


def net_in(sums: Merged, month: int) -> Net:
    """One period's sums over respondents."""
    key, pair = str(month), f"{month}:{month}"
    answers = _at(sums, "answers", key)
    net = _at(sums, "promoters", key) - _at(sums, "detractors", key)
    return Net(answers, net, *(_at(sums, name, pair) for name in ("respondents", "counts", "counts_net", "nets")))


def shared_in(sums: Merged, before: int, after: int) -> Shared:
    """The sums over those who answered in both of two months."""
    pair, turned = f"{before}:{after}", f"{after}:{before}"
    return Shared(
        _at(sums, "respondents", pair),
        _at(sums, "counts", pair),
        _at(sums, "counts_net", pair),
        _at(sums, "counts_net", turned),
        _at(sums, "nets", pair),
    )


def _at(sums: Merged, name: str, key: str) -> int:
    return sums.get(name, {}).get(key, 0)
