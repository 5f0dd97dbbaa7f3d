"""The default model on customers of a real service, in one pass: who leaves sooner, and what drives it."""

import csv
from hashlib import sha256

import numpy as np
import pytest
from lifelines.utils import concordance_index

from models.health.calibration import Calibration
from models.health.classifier import Classifier, fresh
from models.health.drivers import explained
from tests.support.shared_data import DATA, needs

pytestmark = [pytest.mark.core, needs("pysurvival_churn")]

TIME, LABEL = "months_active", "churned"


def customers() -> tuple[list[dict[str, str]], np.ndarray]:
    """All rows, and which of them are held out: three in ten, by the hash of the line."""
    lines = (DATA / "pysurvival_churn" / "churn.csv").read_text().splitlines()
    held = [int.from_bytes(sha256(line.encode()).digest()) % 10 < 3 for line in lines[1:]]
    return list(csv.DictReader(lines)), np.array(held)


def features(rows: list[dict[str, str]]) -> list[dict[str, float]]:
    """Numbers as they are, every other value as an indicator; neither the label nor the time to it."""
    inputs = [{name: value for name, value in row.items() if name not in {TIME, LABEL}} for row in rows]
    absent = {f"{name}={value}": 0.0 for row in inputs for name, value in row.items() if not numeric(value)}
    return [
        absent
        | {
            name if numeric(value) else f"{name}={value}": float(value) if numeric(value) else 1.0
            for name, value in row.items()
        }
        for row in inputs
    ]


def numeric(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()


@pytest.fixture(scope="module")
def everything() -> tuple[Classifier, list[dict[str, float]], np.ndarray, np.ndarray, np.ndarray]:
    """The model after one pass over what is not held out, and inputs, churn and months of those that are."""
    rows, held = customers()
    inputs, churned = features(rows), np.array([float(row[LABEL]) == 1 for row in rows])
    model = fresh("logistic", {})
    for i in np.flatnonzero(~held):
        model.learn(inputs[i], bool(churned[i]))
    months = np.array([float(row[TIME]) for row in rows])
    return model, [inputs[i] for i in np.flatnonzero(held)], churned[held], months[held], held


def test_those_who_leave_sooner_are_ranked_riskier(everything) -> None:
    model, inputs, churned, months, held = everything
    assert 0.27 < held.mean() < 0.33
    risk = np.array([model.log_odds(one) for one in inputs])
    assert concordance_index(months, -risk, churned) >= 0.85


@pytest.mark.parametrize("name", ["csat_score", "minutes_customer_support"])
def test_drivers_point_where_the_data_do(everything, name: str) -> None:
    """The points of held-out customers above and below the mean have the sign of the correlation with staying, which
    is taken from those customers alone."""
    model, inputs, churned, *_ = everything
    values = np.array([one[name] for one in inputs])
    direction = np.sign(np.corrcoef(values, ~churned)[0, 1])
    assert direction == {"csat_score": 1, "minutes_customer_support": -1}[name]
    contributions = np.array(
        [explained(*model.parts(one), Calibration(), wanted=False).contributions[name] for one in inputs]
    )
    above = values > values.mean()
    assert direction * contributions[above].mean() > 0 > direction * contributions[~above].mean()
