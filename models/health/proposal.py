"""Whether a challenger is proposed in the champion's place: by evidence, in words. Who decides is a person."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Proposal(NamedTuple):
    """promote: whether the evidence speaks for it. because: the numbers, in words."""

    promote: bool
    because: str


def proposal(challenger: Mapping[str, Any]) -> Proposal:
    """Read what `models.health.told.contenders` says of a challenger.

    It is proposed when its log-loss on the rows that both have predicted is lower, with an interval wholly below 0, and
    its AUC is not known to be lower. The log-loss counts every account and is worse for a model that is overconfident;
    the AUC guards against one that predicts the rate well and ranks badly.
    """
    if "because" in challenger:
        return Proposal(False, str(challenger["because"]))
    minus = challenger.get("minus_champion", {})
    if "log_loss" not in minus:
        return Proposal(False, str(minus.get("because", "nothing has been predicted by it whose label is known")))
    loss, auc = minus["log_loss"], minus["auc"]
    if loss["ci"] is None or auc["ci"] is None:
        return Proposal(False, str(loss.get("because") or auc.get("because")))
    told = f"log-loss {_told(loss)} and AUC {_told(auc)} against the champion's on {challenger['rows']:,} predictions"
    if loss["ci"][1] < 0 and auc["ci"][1] >= 0:
        return Proposal(True, f"it predicts better: {told}")
    return Proposal(False, f"it is not shown to predict better: {told}")


def _told(figure: Mapping[str, Any]) -> str:
    low, high = figure["ci"]
    return f"{figure['estimate']:+.3g} ({low:+.3g} to {high:+.3g})"
