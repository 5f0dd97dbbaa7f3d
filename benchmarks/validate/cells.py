"""The situations that error rates are counted in: how units come, are grouped, assigned, take help up and convert."""

from dataclasses import dataclass, replace

SHARE = 0.30
PLANNED = (50, 200, 1000)
CONVERSIONS = (0.05, 0.30)


@dataclass(frozen=True)
class Cell:
    """One situation.

    planned: planned_units, which the sequences are tuned to; looked at up to `longest` times as many.
    grouping: "alone" (a unit is an account), "shared" (an account has three users on average, Poisson), "fives" (five
    users each); users of all accounts come in any order. randomised_by: "user" or "account".
    icc: correlation of the outcomes of an account's users.
    p: share that converts without help; None: the outcome is an amount, normal with standard deviation 1, or, if
    skewed, the exponential of such a number.
    uptake: of help in control and treatment. effect: of the help on those who take it, so the effect of the offer is
    effect x difference in uptake.
    """

    planned: int
    grouping: str = "alone"
    randomised_by: str = "account"
    p: float | None = 0.30
    icc: float = 0.0
    uptake: tuple[float, float] = (0.10, 0.60)
    effect: float = 0.0
    share: float = SHARE
    longest: float = 3.0
    skewed: bool = False

    @property
    def units(self) -> int:
        """As many as ever mature."""
        return round(self.longest * self.planned)

    @property
    def accounts(self) -> int:
        return round(self.units / {"alone": 1, "shared": 3, "fives": 5}[self.grouping])

    @property
    def binary(self) -> bool:
        return self.p is not None

    @property
    def first_stage(self) -> float:
        return self.uptake[1] - self.uptake[0]

    @property
    def itt(self) -> float:
        """The true effect of the offer."""
        return self.effect * self.first_stage

    @property
    def name(self) -> str:
        grouping = {
            "alone": "accounts of one user",
            "shared": f"accounts of 3 users on average, ICC {self.icc:g}, by {self.randomised_by}",
            "fives": f"{self.accounts} accounts of 5 users, ICC {self.icc:g}, by {self.randomised_by}",
        }[self.grouping]
        outcome = (
            f"{100 * self.p:g} % convert" if self.p is not None else "skewed amounts" if self.skewed else "amounts"
        )
        uptake = f", {100 * self.uptake[1]:g} % take help" if self.uptake != (0.10, 0.60) else ""
        return f"{self.planned:,} planned, {grouping}, {outcome}{uptake}"


def _sizes(cell: Cell) -> list[Cell]:
    return [replace(cell, planned=n, p=p) for n in PLANNED for p in CONVERSIONS]


NOTHING_DIFFERS = [
    *_sizes(Cell(50)),
    *_sizes(Cell(50, grouping="shared", icc=0.3, randomised_by="user")),
    *_sizes(Cell(50, grouping="shared", icc=0.3)),
    *[
        Cell(planned=n, grouping="fives", icc=0.3, randomised_by=by, p=p)
        # 300 units end the first with 60 accounts; the second is planned for 60 and goes on to 180.
        for n in (100, 300)
        for by in ("user", "account")
        for p in CONVERSIONS
    ],
    *[Cell(planned=n, p=None, skewed=skewed) for n in (50, 200) for skewed in (False, True)],
    *[Cell(planned=100, grouping="fives", icc=0.3, p=None, skewed=skewed) for skewed in (False, True)],
]
"""The offer changes nothing."""

HELPS = [
    replace(cell, effect=0.25)
    for cell in [
        *_sizes(Cell(50)),
        *[Cell(planned=n, uptake=(0.05, 0.35)) for n in (200, 1000)],
        *_sizes(Cell(50, uptake=(0.0, 0.05))),
        Cell(planned=200, uptake=(0.0, 0.30)),
        Cell(planned=1000, uptake=(0.0, 0.30)),
        Cell(planned=1000, grouping="shared", icc=0.3, randomised_by="user"),
        Cell(planned=1000, grouping="shared", icc=0.3),
        Cell(planned=300, grouping="fives", icc=0.3),
        Cell(planned=300, grouping="fives", icc=0.3, p=0.05),
        Cell(planned=300, grouping="fives", icc=0.3, uptake=(0.0, 0.05)),
        Cell(planned=300, grouping="fives", icc=0.3, randomised_by="user"),
        Cell(planned=200, p=None),
    ]
]
"""Help raises the outcome of those who take it."""
