"""What scorers send to `health-examples`, made up: for models that learn side by side."""

from collections.abc import Iterable
from random import Random

from models.health.example import Example, encode_example
from models.messages import encode

FIRST_WEEK = 20_583
"""A Sunday."""


def a_log(seed: int, weeks: int, accounts: int = 40, told: Iterable[str] = ("x", "y")) -> list[bytes]:
    """Examples week by week, each week with its marker behind it. x tells something of the label, y nothing; `leak`
    tells it from week 4 on."""
    chance, found = Random(seed), []
    for week in range(weeks):
        day = FIRST_WEEK + 7 * week
        for number in range(accounts):
            x = chance.gauss(0, 1)
            label = chance.random() < (0.7 if x > 0 else 0.1)
            known = {"x": x, "y": chance.gauss(0, 1), "leak": float(label if week >= 4 else number % 2), "members": 3.0}
            features = {name: known[name] for name in (*told, "members")}
            found.append(encode_example(Example(f"account {number}", day, day + 14, features, label)))
        found.append(encode({"marker": day + 14, "partition": 0, "accounts": accounts, "little_known": week}))
    return found
