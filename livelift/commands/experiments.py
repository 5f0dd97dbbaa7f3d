"""Experiments: draft, queue, apply and stop them, list them, and look at one."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from livelift.commands.given import At, By, Json, as_json, needs_time, shown, when, who
from livelift.settings import NotSet, Settings

if TYPE_CHECKING:
    from models.plan import Plan, PublishedPlan

File = Annotated[Path, typer.Argument(help="A plan file (TOML).")]
FileOrId = Annotated[str, typer.Argument(help="A plan file (TOML), or the id of an experiment that is there.")]
Id = Annotated[str, typer.Argument(help="The experiment's id.")]


def draft(
    file: File,
    base_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share with the primary outcome, without the treatment.")
    ] = None,
    sd: Annotated[float | None, typer.Option(min=0, help="Standard deviation of the primary metric.")] = None,
    arrivals_per_week: Annotated[float | None, typer.Option(min=0, help="New units a week.")] = None,
    units: Annotated[int | None, typer.Option(min=0, help="Units that can be assigned on the first day.")] = None,
    users_per_account: Annotated[float | None, typer.Option(min=1, help="Mean, where users are the units.")] = None,
    users_variance: Annotated[float | None, typer.Option(min=0, help="Variance of users per account.")] = None,
    icc: Annotated[float, typer.Option(min=0, max=1, help="How alike the users of an account are.")] = 0.05,
    by: By = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Write a plan down, free to change, and say whether it can answer its question.

    Example: [bold]livelift experiments draft plan.toml --base-rate 0.2 --arrivals-per-week 150[/bold]
    """
    from livelift.advice import known_from, running_from, sentences
    from livelift.experiments import Experiments
    from livelift.surroundings import complain
    from models.advice import Known, advise
    from models.plan import check

    _finite(base_rate=base_rate, sd=sd, arrivals_per_week=arrivals_per_week, icc=icc,
            users_per_account=users_per_account, users_variance=users_variance)  # fmt: skip
    settings, plan = Settings(), _read(file)
    here = _reach(settings)
    everything = Experiments(here)
    published, _ = everything.draft(plan, who(by), when(at))
    unfit = check(plan, here.product) if settings.config.exists() else []
    snapshot, silent = _snapshots(settings, ["quality", "funnel", *[f"experiment:{id_}" for id_ in everything.plans]])
    stated = Known(
        units=units, arrivals_per_week=arrivals_per_week, base_rate=base_rate, sd=sd, icc=icc,
        users_per_account=users_per_account, users_variance=users_variance, lateness=here.product.lateness,
    )  # fmt: skip
    known, sources = known_from(snapshot, plan, here.product, stated)
    advice = advise(plan, known, running_from(snapshot, everything.plans))
    notes = [*unfit, *silent, *sources]
    if json:
        print(as_json({**_builtins(published), "advice": msgspec.to_builtins(advice), "notes": notes}))
        return
    print(_line(published))
    for line in [*sentences(plan, advice), *[f"note: {note}" for note in (*silent, *sources)]]:
        print(f"  {line}")
    for line in unfit:
        complain(f"{file}: {line}")


def queue(plan: FileOrId, by: By = None, at: At = None, json: Json = False) -> None:
    """Freeze a plan and give it its place; it waits to be applied, or for the one before it in its group to stop.

    Example: [bold]livelift experiments queue plan.toml --by ann[/bold]
    """
    from models.lifecycle import clashes

    settings = Settings()
    everything, given = _given(settings, plan)
    published, new = everything.queue(given, who(by), when(at))
    clashing = clashes(given, everything.plans.values())
    _say(published, new, json)
    if published.state == "queued" and not json:
        waits = f"waits: {'; '.join(clashing)}" if clashing else "nothing is in its way"
        print(f"  {waits}; `livelift experiments apply {given.id}` lets it run")


def apply(
    plan: FileOrId,
    retrospective: Annotated[
        bool, typer.Option("--retrospective", help="Its events have begun to come already.")
    ] = False,
    by: By = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Let an experiment run; its plan is frozen from then on.

    Example: [bold]livelift experiments apply plan.toml --by ann[/bold]
    """
    settings = Settings()
    everything, given = _given(settings, plan)
    held = everything.plans.get(given.id)
    if held is not None and held.state == "queued" and not retrospective:
        needs_time(settings, at)
    published, new = everything.apply(given, who(by), when(at), retrospective)
    _say(published, new, json)


def stop(
    experiment: Id,
    why: Annotated[str, typer.Option("--why", help="Why; it is kept.")],
    hold: Annotated[bool, typer.Option("--hold", help="Let those that wait in its group go on waiting.")] = False,
    by: By = None,
    at: At = None,
    json: Json = False,
) -> None:
    """End an experiment for good. Who is assigned later does not count; who was before is read to the end.

    Example: [bold]livelift experiments stop widget --why "answered: rolled out"[/bold]
    """
    from livelift.experiments import Experiments

    settings = Settings()
    everything = Experiments(_reach(settings))
    if everything.held(experiment).state != "stopped":
        needs_time(settings, at)
    stopped = everything.stop(experiment, who(by), when(at), why, hold)
    if json:
        started = [published.plan.id for published in stopped.started]
        print(as_json({**_builtins(stopped.published), "new": stopped.new, "started": started}))
        return
    _say(stopped.published, stopped.new, json)
    if stopped.new and not stopped.published.counted:
        print("  it had not begun: nobody counts")
    for published in stopped.started:
        print(f"  in its stead {_line(published)}")


def list_experiments(json: Json = False) -> None:
    """List the experiments: state, place, level, who said so.

    Example: [bold]livelift experiments list[/bold]
    """
    from livelift.experiments import published_plans

    plans = published_plans(_reach(Settings()))
    if json:
        print(as_json(plans))
        return
    for published in sorted(
        plans.values(), key=lambda published: (published.place or len(plans) + 1, published.plan.id)
    ):
        print(_line(published))
    if not plans:
        print("no experiment plans are published (`livelift experiments draft FILE` begins one)")


def show(experiment: Id, json: Json = False) -> None:
    """Show one experiment: its plan, its life so far, and what Redis holds of it.

    Example: [bold]livelift experiments show widget[/bold]
    """
    from livelift.experiments import Experiments

    settings = Settings()
    published = Experiments(_reach(settings)).held(experiment)
    key = f"experiment:{experiment}"
    snapshots, silent = _snapshots(settings, [key])
    snapshot = snapshots.get(key)
    if json:
        print(as_json({**_builtins(published), "snapshot": snapshot}))
        return
    print(_line(published))
    for word in published.words:
        print(f"  {shown(word.at)}  {word.state} by {word.by}{f': {word.why}' if word.why else ''}")
    for line in _plan_lines(msgspec.to_builtins(published.plan)):
        print(f"  {line}")
    if snapshot is None:
        unread = "nothing is read of it yet" if published.counted else "nothing is read of a draft, or while it waits"
        print("; ".join(silent) or unread)
        return
    _print_reading(snapshot)


def _print_reading(snapshot: dict[str, Any]) -> None:
    """The decision with its reason, and the headline numbers."""
    from rich.console import Console, Group

    from livelift.show import experiment as tables

    decision = snapshot.get("decision") or {}
    if decision:
        print(f"decision: {decision.get('verdict')}, because {decision.get('because')}")
    Console().print(Group(*tables(snapshot)))


# -- arguments -------------------------------------------------------------------------------------------------------


def _read(file: Path) -> "Plan":
    from livelift import load_plan

    return load_plan(file)


def _given(settings: Settings, plan: str) -> tuple[Any, "Plan"]:
    """The experiments there are, and the plan that a file or an id names; it has to fit the product."""
    from livelift.experiments import Experiments
    from models.plan import PlanError, check

    file = Path(plan)
    read = _read(file) if file.suffix == ".toml" or file.is_file() or "/" in plan else None
    here = _reach(settings)
    everything = Experiments(here)
    given = read if read is not None else everything.held(plan).plan
    unfit = check(given, here.product) if settings.config.exists() else []
    if unfit:
        raise PlanError(f"{plan} does not fit {settings.config}: {'; '.join(unfit)}")
    return everything, given


def _reach(settings: Settings) -> Any:
    from livelift.reach import reach_kafka

    return reach_kafka(settings, "experiment-plans", "partials")


def _finite(**given: float | None) -> None:
    """An option that is `inf` is within its bounds and yet no number."""
    for name, value in given.items():
        if value is not None and not isfinite(value):
            raise typer.BadParameter(f"{value} is no number", param_hint=f"--{name.replace('_', '-')}")


def _snapshots(settings: Settings, keys: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The snapshots there are of these keys; and why there are none, if Redis could not be asked."""
    from consumers.snapshots import Snapshots
    from livelift.reach import Unreachable, reach_redis

    try:
        held = Snapshots(reach_redis(settings), settings.redis_prefix)
    except (NotSet, Unreachable) as error:
        return {}, [f"what is read so far is not known: {error}"]
    found = {key: held.get(key) for key in keys}
    return {key: value for key, value in found.items() if value is not None}, []


# -- words -----------------------------------------------------------------------------------------------------------


def _say(published: "PublishedPlan", new: bool, json: bool) -> None:
    if json:
        print(as_json({**_builtins(published), "new": new}))
    else:
        print(_line(published) if new else f"{_line(published)} (it was already, unchanged)")


def _line(published: "PublishedPlan") -> str:
    """An experiment in one line: state and since when, place and level, by whom."""
    begins, last = published.begins, published.words[-1] if published.words else None
    since = {
        "draft": "", "queued": "", "running": f" from {shown(begins)}",
        "stopped": f" at {shown(published.stopped_at)}" if published.stopped_at is not None else "",
    }[published.state]  # fmt: skip
    place = f", place {published.place}" if published.place else ""
    level = f", level {published.level:.3g}" if published.level is not None else ""
    by = f", by {last.by}" if last is not None else ""
    known = ", retrospective" if published.retrospective else ""
    return f"{published.plan.id}: {published.state}{since}{place}{level}{by}{known} ({published.plan_hash})"


def _plan_lines(value: Any, path: str = "") -> list[str]:
    """A plan as `path: value`, one a line, without what is empty."""
    if isinstance(value, dict):
        return [line for name, inner in value.items() for line in _plan_lines(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list | tuple) and any(isinstance(inner, dict) for inner in value):
        return [line for index, inner in enumerate(value) for line in _plan_lines(inner, f"{path}[{index}]")]
    if value is None or value in ("", [], ()):
        return []
    return [f"{path}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"]


def _builtins(published: "PublishedPlan") -> dict[str, Any]:
    return {"experiment": published.plan.id, **msgspec.to_builtins(published)}
