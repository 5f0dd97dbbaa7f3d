"""`make validate`: how often the checks of authenticity cry wolf on people's data, and what they see of forgeries.

Subsamples of accounts of the shared data, and forgeries of N = 1,000 made anew in every run. Exit code 1 when a set of
people's data raises an alarm in more subsamples than 5 % + 3 s.e., when a forgery is seen in fewer than 80 % of the
runs, or when a set that is known to be simulated or broken goes unnoticed. The same of what is examined live: there a
set is looked at in the rows of its people, on days drawn among its own. One process.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.report import cpu_name, now, write_section
from livelift.progress import counting
from models.authenticity.examine import examine
from models.authenticity.examined import ALPHA, Examined
from models.authenticity.live import RESOLUTIONS
from tests.support.forgeries import FORGERIES, UNSEEN, Forgery, honest
from tests.support.observed_sets import SETS, SUSPECT, RealSet, people_of, subset, trial
from tests.support.shared_data import DATA
from tests.support.watched import (
    BREAKS,
    BROKEN,
    LAST,
    NOT_SEEN,
    WATCHED,
    Break,
    Watched,
    clocked,
    looked_at,
    people_on,
)

DOCS = Path("docs/authenticity.md")
BEGIN, END = "<!-- begin: python -m benchmarks.authenticity -->", "<!-- end: python -m benchmarks.authenticity -->"
BEGIN_LIVE, END_LIVE = BEGIN.replace(" -->", " --live -->"), END.replace(" -->", " --live -->")
HEAD = """\
# How often the checks of authenticity are wrong

What each check looks at is told in [the guide](guides/authenticity.md); everything between the markers is the output of
`python -m benchmarks.authenticity --write`, first of whole data sets, then of what is examined live (`--live` alone).

"""
POWER = 0.8
TRIALS = 1000
"""Customers of the simulated exercise."""
LOOKS = 20
"""Days of a set on which it is looked at; each subsample on one of them."""


class Alarms(NamedTuple):
    """What was raised. any: runs with an alarm. seen: runs with one of the checks that are meant. by: check."""

    name: str
    runs: int
    any: int
    seen: int
    by: dict[str, int]
    accounts: int = 0
    of: int = 0
    examined: int = 0
    whole: str = ""

    @property
    def bound(self) -> float:
        return ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / self.runs)


class Live(NamedTuple):
    """What is examined live, of sums over rows. breaks: broken recording, six weeks of N people."""

    sets: list[Alarms]
    suspect: list[Alarms]
    breaks: list[Alarms]
    unseen: list[Alarms]
    control: Alarms

    def broken(self) -> list[str]:
        """What is promised and was not kept, one sentence each."""
        return _broken([*self.sets, self.control], [*self.breaks, *self.suspect])


class Measured(NamedTuple):
    """All of it. control: honest scratch data. trials: the simulated exercise. missing: folders that are not here."""

    sets: list[Alarms]
    suspect: list[Alarms]
    forgeries: list[Alarms]
    unseen: list[Alarms]
    control: Alarms
    trials: Alarms
    missing: list[str]

    def broken(self) -> list[str]:
        """What is promised and was not kept, one sentence each."""
        return [
            *_broken([*self.sets, self.control], [*self.forgeries, *self.suspect]),
            *(f"../shared/data/{folder} is not on this machine" for folder in self.missing),
        ]


def _broken(innocent: list[Alarms], guilty: list[Alarms]) -> list[str]:
    wolf = [one for one in innocent if one.any > one.bound * one.runs]
    blind = [one for one in guilty if one.seen < POWER * one.runs]
    return [
        *(f"{one.name}: an alarm in {one.any / one.runs:.1%} of the runs, above {one.bound:.1%}" for one in wolf),
        *(f"{one.name}: seen in {one.seen / one.runs:.1%} of the runs, below {POWER:.0%}" for one in blind),
    ]


def measure(runs: int, times: int, seed: int) -> Measured:
    """runs: subsamples a set; times: runs a forgery."""
    here = {name: one for name, one in {**SETS, **SUSPECT}.items() if (DATA / one.folder).is_dir()}
    missing = sorted({one.folder for one in {**SETS, **SUSPECT}.values()} - {one.folder for one in here.values()})
    forged = [one for one in (*FORGERIES, *UNSEEN) if one.needs is None or (DATA / one.needs).is_dir()]
    told = {name: of_set(name, one, runs, seed) for name, one in here.items()}
    seen = {one.name: of_forgery(one, times, seed) for one in forged}
    return Measured(
        [told[name] for name in SETS if name in told],
        [told[name] for name in SUSPECT if name in told],
        [seen[one.name] for one in FORGERIES if one.name in seen],
        [seen[one.name] for one in UNSEEN],
        of_forgery(Forgery("scratch data without a trace", honest, ()), times, seed),
        of_trials(times, seed),
        missing,
    )


def measure_live(runs: int, times: int, seed: int) -> Live:
    """runs: subsamples a set; times: runs a kind of broken recording."""
    here = {name: one for name, one in {**WATCHED, **BROKEN}.items() if (DATA / one.folder).is_dir()}
    told = {name: of_watched(name, one, runs, seed) for name, one in here.items()}
    return Live(
        [told[name] for name in WATCHED if name in told],
        [told[name] for name in BROKEN if name in told],
        [of_break(one, times, seed) for one in BREAKS],
        [of_break(one, times, seed) for one in NOT_SEEN],
        of_break(Break("scratch data without a trace", clocked, ()), times, seed),
    )


def of_watched(name: str, one: Watched, runs: int, seed: int) -> Alarms:
    """Alarms in subsamples of a set's people, each on one of the days on which somebody may look."""
    events = one.read().events
    assert events is not None
    days, draws = one.days(events), np.random.default_rng([seed, len(events)])
    looks = draws.choice(np.array(days), min(LOOKS, len(days)), replace=False).tolist()
    people = {day: people_on(events, day) for day in looks}

    def found() -> Iterator[Examined]:
        for _ in range(runs):
            day = looks[int(draws.integers(len(looks)))]
            those = people[day]
            some = draws.choice(len(those), min(one.accounts, len(those)), replace=False)
            yield looked_at((those[who] for who in some.tolist()), day, one.resolution)

    counted = _count(name, found(), runs, ())
    last = max(looks)
    whole = looked_at(people[last], last, one.resolution)
    told = ", ".join(alarm.check for alarm in whole.alarms) or "none"
    examined = max(sum(f.examined for f in looked_at(people[day], day, one.resolution).findings) for day in looks)
    return counted._replace(
        seen=counted.any, accounts=one.accounts, of=len(people[last]), examined=examined, whole=told
    )


def of_break(one: Break, times: int, seed: int) -> Alarms:
    """Runs in which a kind of broken recording is seen by a check that is meant to see it."""
    made = (people_on(one.made(np.random.default_rng([seed, time])), LAST) for time in range(times))
    found = (looked_at(people, LAST, RESOLUTIONS["millisecond"]) for people in made)
    return _count(one.name, found, times, one.seen_by)


def of_set(name: str, one: RealSet, runs: int, seed: int) -> Alarms:
    """Alarms in subsamples of a set's accounts, drawn without replacement."""
    observed = one.read()
    people = people_of(observed)
    draws = np.random.default_rng([seed, len(people)])
    whole = examine(observed)
    parts = (subset(observed, draws.choice(people, one.accounts, replace=False)) for _ in range(runs))
    found = (examine(part) for part in parts)
    counted = _count(name, found, runs, ())
    told = ", ".join(alarm.check for alarm in whole.alarms) or "none"
    examined = sum(finding.examined for finding in whole.findings)
    return counted._replace(seen=counted.any, accounts=one.accounts, of=len(people), examined=examined, whole=told)


def of_forgery(forgery: Forgery, times: int, seed: int) -> Alarms:
    """Runs in which a forgery is seen by a check that is meant to see it."""
    found = (examine(forgery.made(np.random.default_rng([seed, time]))) for time in range(times))
    return _count(forgery.name, found, times, forgery.seen_by)


def of_trials(times: int, seed: int) -> Alarms:
    """The simulated exercise, which does not hide what it is."""
    return _count("the simulated exercise", (examine(trial(TRIALS, seed + time)) for time in range(times)), times, ())


def _count(name: str, found: Iterator[Examined], runs: int, meant: tuple[str, ...]) -> Alarms:
    print(f"examining: {name}", file=sys.stderr, flush=True)
    alarms: list[list[str]] = []
    with counting(name, runs) as progress:
        for done, one in enumerate(found, 1):
            alarms.append(_checks(one))
            progress(done)
    by = Counter(check for one in alarms for check in one)
    seen = sum(any(check in meant for check in one) for one in alarms)
    return Alarms(name, runs, sum(map(bool, alarms)), seen, dict(sorted(by.items())))


def _checks(found: Examined) -> list[str]:
    return [one.check for one in found.alarms]


def page(found: Measured, seed: int) -> str:
    """The measurement in Markdown."""
    lines = [
        f"{now()}, {cpu_name()}, seed {seed}. An alarm is a p value of at most {ALPHA:g} after Holm's correction over "
        "the checks that were examined, and an effect beyond its edge.",
        "",
        "**Data made by people.** Subsamples of accounts without replacement. Edges were set while looking at the sets "
        "marked so; on the others they were only tried.",
        "",
        "| set | folder | subsample of | checks | runs | any alarm | allowed | kept | alarms in the whole set |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_of_people(one) for one in found.sets),
        "",
        "**Where an alarm is right**: simulated, or broken.",
        "",
        "| set | folder | subsample of | runs | any alarm | by | alarms in the whole set |",
        "|---|---|---|---|---|---|---|",
        *(_of_suspect(one) for one in found.suspect),
        "",
        f"**Forgeries**, N = 1,000. Promised: seen in {POWER:.0%} of the runs by a check that is meant to.",
        "",
        "| forgery | runs | seen | kept | alarms, in runs |",
        "|---|---|---|---|---|",
        *(_of_forgery(one, _kept(one.seen >= POWER * one.runs)) for one in found.forgeries),
        *(_of_forgery(one, "known not to be seen") for one in found.unseen),
        "",
        f"**Beside them.** {found.control.name.capitalize()}, what the forgeries start from: any alarm in "
        f"{_share(found.control.any, found.control)} of {found.control.runs:,} runs. {found.trials.name.capitalize()} "
        f"of {TRIALS:,} customers: {_share(found.trials.any, found.trials)} ({_by(found.trials)}).",
    ]
    return "\n".join(lines)


def live_page(found: Live, seed: int) -> str:
    """The measurement of what is examined live, in Markdown."""
    lines = [
        f"{now()}, {cpu_name()}, seed {seed}. **Live**: one look at the sums over rows that a day has left, as "
        f"`livelift snapshot authenticity` reads them. Each run is a subsample of people on one of {LOOKS} days drawn "
        "among those of the set from the fifth week on.",
        "",
        "| set | folder | subsample of | checks | runs | any alarm | allowed | kept | alarms on the last day |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_of_watched(one) for one in found.sets),
        "",
        "**Where an alarm is right**: milliseconds that never change, and visits of which nothing came any more.",
        "",
        "| set | folder | subsample of | runs | any alarm | by |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.name} | {BROKEN[one.name].folder} | {one.accounts:,} of {one.of:,} | {one.runs:,} "
            f"| {_share(one.any, one)} | {_by(one)} |"
            for one in found.suspect
        ),
        "",
        f"**Broken recording**, N = 1,000 people in six weeks. Promised: seen in {POWER:.0%} of the runs.",
        "",
        "| what is broken | runs | seen | kept | alarms, in runs |",
        "|---|---|---|---|---|",
        *(_of_forgery(one, _kept(one.seen >= POWER * one.runs)) for one in found.breaks),
        *(_of_forgery(one, "known not to be seen") for one in found.unseen),
        "",
        f"**Beside it.** {found.control.name.capitalize()}: any alarm in {_share(found.control.any, found.control)} of "
        f"{found.control.runs:,} runs.",
    ]
    return "\n".join(lines)


def _of_watched(one: Alarms) -> str:
    kept = _kept(one.any <= one.bound * one.runs)
    return (
        f"| {one.name} | {WATCHED[one.name].folder} | {one.accounts:,} of {one.of:,} | {one.examined} | {one.runs:,} "
        f"| {_share(one.any, one)} | {one.bound:.2%} | {kept} | {one.whole} |"
    )


def _of_people(one: Alarms) -> str:
    real = SETS[one.name]
    kept = _kept(one.any <= one.bound * one.runs)
    return (
        f"| {one.name}{' (edges set on it)' if real.tuned else ''} | {real.folder} | {one.accounts:,} of {one.of:,} "
        f"| {one.examined} | {one.runs:,} | {_share(one.any, one)} | {one.bound:.2%} | {kept} | {one.whole} |"
    )


def _of_suspect(one: Alarms) -> str:
    return (
        f"| {one.name} | {SUSPECT[one.name].folder} | {one.accounts:,} of {one.of:,} | {one.runs:,} "
        f"| {_share(one.any, one)} | {_by(one)} | {one.whole} |"
    )


def _of_forgery(one: Alarms, kept: str) -> str:
    return f"| {one.name} | {one.runs:,} | {_share(one.seen, one)} | {kept} | {_by(one)} |"


def _share(count: int, one: Alarms) -> str:
    return f"{count / one.runs:.1%}"


def _by(one: Alarms) -> str:
    return ", ".join(f"{check} {count:,}" for check, count in one.by.items()) or "none"


def _kept(kept: bool) -> str:
    return "yes" if kept else "**no**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="subsamples a set")
    parser.add_argument("--times", type=int, default=200, help="runs a forgery")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", action="store_true", help="only what is examined live")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCS}")
    given = parser.parse_args()
    live = measure_live(given.runs, given.times, given.seed)
    whole = None if given.live else measure(given.runs, given.times, given.seed)
    wrong, said = live.broken(), {"live": live._asdict()}
    texts = [(live_page(live, given.seed), BEGIN_LIVE, END_LIVE)]
    if whole is not None:
        wrong, said = [*whole.broken(), *wrong], {**whole._asdict(), **said}
        texts.insert(0, (page(whole, given.seed), BEGIN, END))
    print(msgspec.json.encode(said).decode() if given.json else "\n\n".join(text for text, _, _ in texts))
    for text, begin, end in texts if given.write else ():
        write_section(DOCS, text, HEAD, begin, end)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
