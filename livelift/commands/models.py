"""The models that learn side by side: list them, compare them, and decide which of them scores."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from livelift.commands.given import By, Json, as_json, when, who
from livelift.settings import Settings

Replicates = Annotated[int, typer.Option(min=20, help="Draws of accounts that intervals rest on.")]


def list_models(json: Json = False) -> None:
    """List the models: which scores, since when, and what the others have learned.

    Example: [bold]livelift models list[/bold]
    """
    models = _models()
    listed = models.listed()
    if json:
        print(as_json(listed))
        return
    for kind, one in listed["models"].items():
        labels = one["labels"]
        state = one["because"] or f"{one['version']}, learned to {one['learned']}"
        role = f"{one['role']}{', scores' if one['scores_now'] else ''}"
        print(f"{kind:<10} {role:<20} {labels['with_event']:,} + {labels['without']:,} labels; {state}")
    for one in listed["promotions"]:
        print(f"promoted: {one['model']} from {one['from']}, by {one['by']} at {one['at']}")


def compare(replicates: Replicates = 1000, json: Json = False) -> None:
    """Compare the models, and the activity index, on the same accounts, by what they said before labels were known.

    Differences are against the champion's, with 95 % intervals under the same draws of accounts.

    Example: [bold]livelift models compare[/bold]
    """
    from rich.console import Console

    from livelift.progress import working

    models = _models()
    with working("comparing", quiet=json):
        compared = models.compared(replicates)
    if json:
        print(as_json(compared))
        return
    if not any("auc" in one for one in compared.values()):
        reasons = dict.fromkeys(one.get("because", "no prediction has a label yet") for one in compared.values())
        print(f"nothing to compare yet: {'; '.join(reasons)}")
        return
    Console().print(_table(compared))
    for kind, one in compared.items():
        if "proposal" in one:
            said = "proposed" if one["proposal"]["promote"] else "not proposed"
            print(f"{kind}: {said}: {one['proposal']['because']}")
            if one["proposal"]["promote"]:
                print(f"  `livelift models promote {kind}` lets it score from the next day on")


def promote(
    model: Annotated[str, typer.Argument(help="The model that is to score.")],
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day that it scores (default: the next to close)."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    replicates: Replicates = 1000,
    by: By = None,
    json: Json = False,
) -> None:
    """Let a challenger score from a day on. The evidence is shown first; who decides is kept.

    Scores of two models are never compared: what changes with a promotion says `model changed`, and alerts nobody.

    Example: [bold]livelift models promote bayes --by ann[/bold]
    """
    from livelift.progress import working
    from models.clock import day_of, micros

    models = _models()
    with working("comparing", quiet=json):
        evidence = models.evidence(model, replicates) if models.learning.champion.kind != model else None
    if evidence is not None and not json:
        print(f"{'proposed' if evidence.promote else 'not proposed'}: {evidence.because}")
    if evidence is not None and not yes:
        typer.confirm(f"let {model} score?", abort=True, err=True)
    day = None if first is None else day_of(micros(first.replace(tzinfo=UTC)))
    promoted = models.promote(model, who(by), when(None), day)
    told = models.told(promoted.promotion)
    if json:
        print(as_json({**told, "new": promoted.new, "evidence": None if evidence is None else evidence._asdict()}))
    elif promoted.new:
        print(f"{model} scores from {told['from']} on, by {told['by']}")
    else:
        print(f"{model} is the champion already")


def _models() -> Any:
    from livelift.promotion import Models
    from livelift.reach import reach_kafka

    return Models(reach_kafka(Settings(), "health-models"))


def _table(compared: dict[str, Any]) -> Any:
    from livelift.show import plain_table

    table = plain_table("model", "role", "AUC", "top-decile lift", "AUC against champion", "lift against champion")
    for kind, one in compared.items():
        minus = one.get("minus_champion", {})
        figures = [_figure(one.get(name)) for name in ("auc", "lift")]
        differences = [_figure(minus.get(name), signed=True) for name in ("auc", "lift")]
        table.add_row(kind, one["role"], *figures, *differences)
    return table


def _figure(figure: dict[str, Any] | None, signed: bool = False) -> str:
    if figure is None or figure.get("estimate") is None:
        return "-"
    form = "+.3f" if signed else ".3f"
    told = f"{figure['estimate']:{form}}"
    if figure.get("ci") is None:
        return told
    low, high = figure["ci"]
    return f"{told} ({low:{form}} to {high:{form}})"
