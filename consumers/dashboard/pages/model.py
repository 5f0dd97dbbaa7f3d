"""The model: what scores rest on, and how far they can be trusted."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import model as views
from consumers.dashboard.views import model_charts


async def model(read: Read, _: Asked) -> View:
    """Lift, calibration, drift, challengers, labels, inputs."""
    found = await read.get("model")
    shown = {"model": found} if found is None else _shown(found)
    return View("The model", "model.html", {"model": found}, shown, ("model",))


def _shown(found: views.Json) -> dict[str, object]:
    judged = found["judged"]
    rows = views.reliability(judged)
    says = views.reliability_in_words(rows) if rows else ""
    return {
        "model": found, "headline": views.headline(found), "judged": judged,
        "kind": views.kind_in_words(found["model"]), "goodness": views.goodness(judged, found["label"]),
        "calibration": views.calibration(judged), "alone": views.apart_from_contacted(judged),
        "reliability_says": says, "reliability": views.reliability_table(rows),
        "reliability_chart": model_charts.reliability(rows, says) if rows else None,
        "contenders": views.contenders(found), "moved": views.drift(found), "held_out": views.held_out(found),
        "unlisted": views.unlisted(found), "inputs": [*views.inputs(found)],
        "chosen": views.chosen_in_words(found), "alerting": views.alerting(found),
    }  # fmt: skip


PAGES = (Page("/model", "/model", model, "What scores rest on, and how good they have been"),)
