"""What came out, in Markdown."""

from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.validate.asos import CONCENTRATION, SRM_ALPHA, Shop
from benchmarks.validate.counts import Finding, broken
from benchmarks.validate.figure import Line, Panel, svg
from benchmarks.validate.readouts import OFFERED, PEEKING
from benchmarks.validate.work import Arrays, Part

FIGURE = "validate.svg"
SHOWN = "1,000 planned, accounts of one user, 30 % convert"


def page(told: dict[str, list[Finding]], seen: dict[str, dict[str, Arrays]], parts: Sequence[Part], runs: int,
         seed: int) -> str:  # fmt: skip
    """told: findings by part; seen: what they were counted from."""
    wrong = broken([one for part in parts for one in told[part.key]])
    lines = [
        f"At least {runs:,} runs a cell, seed {seed}, {facts()}. A cell is a count and its rate, ± the standard error "
        "of the simulation; **bold** where it is more than 3 standard errors beyond its nominal rate (or short of what "
        "is asked for).",
        "",
        *(["**Bounds that do not hold:**", "", *(f"- {one}" for one in wrong)] if wrong else ["All bounds hold."]),
        "",
    ]
    if figure(seen) is not None:
        lines += [f"![Share of experiments that have ever found a difference]({FIGURE})", ""]
    for part in parts:
        lines += [f"## {part.title}", "", part.explanation, "", *table(told[part.key]), ""]
        if part.key == "asos":
            for arrays in seen[part.key].values():
                lines += [*_shop(arrays["shop"][0]), ""]
    return "\n".join(lines).rstrip()


def table(findings: Sequence[Finding]) -> list[str]:
    """Situations down, what was counted across; the longer side goes down."""
    situations = list(dict.fromkeys(one.situation for one in findings))
    whats = list(dict.fromkeys(one.what for one in findings))
    cells = {(one.situation, one.what): str(one) for one in findings}
    if len(whats) > 2 * len(situations):
        body = [[what, *(cells.get((one, what), "-") for one in situations)] for what in whats]
        return _markdown(["", *situations], body)
    body = [[one, *(cells.get((one, what), "-") for what in whats)] for one in situations]
    return _markdown(["", *whats], body)


def _markdown(head: list[str], body: list[list[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *body]
    return [f"| {' | '.join(row)} |" for row in rows]


def _shop(shop: Shop) -> list[str]:
    body = [
        [
            f"{one.experiment}/{one.arm}", f"{one.control:,}", f"{one.treatment:,}",
            f"{one.treatment / (one.control + one.treatment):.4f}", f"{one.planned:g}", _p(one.p_final),
            f"{one.e_value:.3g}", "yes" if one.ever else "no", "**fails**" if one.fails else "passes",
        ]
        for one in shop.shares
    ]  # fmt: skip
    uneven = [f"{one.experiment}/{one.arm}" for one in shop.shares if one.even_p < SRM_ALPHA]
    return [
        f"{shop.rows:,} rows, {shop.skipped:,} of them skipped because a variance is blank or 0; {shop.silent} "
        f"arm-metrics have no other rows. {shop.fewer} rows have fewer units than the one before: what was taken back "
        "is taken out of the arms.",
        "",
        f"Sample ratio of every arm against its planned share (half and half, unless it is plain that another was "
        f"meant): chi-square p at the last checkpoint, against {SRM_ALPHA:g}, and the e-value that may be watched "
        f"(concentration {CONCENTRATION:g}; it crosses at {1 / SRM_ALPHA:g}). {len(uneven)} of {len(shop.shares)} "
        f"fail against half and half at the last checkpoint: {', '.join(uneven)}.",
        "",
        *_markdown(
            [
                "arm",
                "control",
                "treatment",
                "share",
                "planned",
                "p at the end",
                "e-value",
                "ever crossed",
                "at the end",
            ],
            body,
        ),
    ]


def _p(p: float) -> str:
    return f"{p:.4f}" if p >= 0.0001 else "< .0001"


def figure(seen: dict[str, dict[str, Arrays]]) -> str | None:
    """The figure, where the cells that it shows were run."""
    nothing = seen.get("nothing", {}).get(SHOWN)
    powers = seen.get("power", {})
    helps = next((arrays for name, arrays in powers.items() if name.startswith(SHOWN)), None)
    if nothing is None or helps is None:
        return None
    return svg([
        Panel("Nothing differs", 1000, [
            Line("ordinary p value, looked at all day", nothing[f"{PEEKING}, crossed"], "#c0392b"),
            Line("always valid", nothing[f"{OFFERED}, crossed"], "#2471a3"),
        ], {"alpha": 0.05}, 0.6),
        Panel("A real effect", 1000, [
            Line("always valid", helps[f"{OFFERED}, crossed"], "#2471a3"),
        ], {"one look at planned_units": float(helps["once"].mean())}, 1.0),
    ])  # fmt: skip


def facts() -> str:
    """What computed it: the same versions give the same page."""
    return ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
