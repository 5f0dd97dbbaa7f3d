"""Real freemium accounts through the backtest: rows, labels and what is known of them, counted again from the tables.

One account in twenty, so that it takes seconds; the figures of all are in docs/health.md (`make validate`).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from livelift.backtest.run import run, usage_totals
from livelift.recording import open_recording
from livelift.surroundings import product_of
from models.health.example import hash_of
from models.health.judgement import Judgement
from tests.support.hubspot import FIRST_JUDGED, FOLDER, write_hubspot
from tests.support.shared_data import needs

pytestmark = [pytest.mark.shell, needs("hubspot_freemium")]
EVERY = 20
EPOCH = date(1970, 1, 1)
AHEAD = 27
"""Days behind the snapshot's own in which a label falls: the table's own day counts as the first of 28."""
LAST = date(2020, 7, 20)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hubspot")
    write_hubspot(folder, "dated", EVERY)
    recording = open_recording(folder)
    product = product_of(recording.config)
    found = run(recording, product)
    judgement = Judgement(found, FIRST_JUDGED["dated"], usage_totals(recording, product), 20, weeks=2)
    return judgement.report(), judgement.predictions()


@pytest.fixture(scope="module")
def rows():
    """Every second week each account seen so far and not yet closed, with its label if that is known by the end."""
    usage = pd.read_csv(FOLDER / "usage_actions.csv", dtype={"id": str}, parse_dates=["WHEN_TIMESTAMP"])
    closed = pd.read_csv(FOLDER / "customers.csv", dtype={"id": str}, parse_dates=["CLOSEDATE"])
    mine = {one for one in usage["id"].unique() if hash_of(one) % EVERY == 0}
    first = usage.groupby("id")["WHEN_TIMESTAMP"].min().dt.date.to_dict()
    closes = closed.groupby("id")["CLOSEDATE"].min().dt.date.to_dict()
    found = {}
    day = EPOCH + timedelta(days=FIRST_JUDGED["dated"])
    while day + timedelta(days=AHEAD) <= LAST:
        for account in mine:
            close = closes.get(account, date.max)
            if first[account] <= day < close:
                found[account, day.isoformat()] = close <= day + timedelta(days=AHEAD)
        day += timedelta(days=14)
    return found


def test_rows_and_labels_are_those_of_the_tables(judged, rows):
    _, said = judged
    assert dict(zip(zip(said["account"], said["day"], strict=True), said["label"], strict=True)) == rows
    assert len(rows) > 500 and any(rows.values())


def test_use_in_the_whole_history_tells_more_than_anybody_could_have_known(judged):
    report, said = judged
    p, label = np.array(said["p"]["logistic"]), np.array(said["label"])
    better = (p[label][:, None] > p[~label][None, :]).mean() + (p[label][:, None] == p[~label][None, :]).mean() / 2
    assert report["models"]["logistic"]["auc"]["estimate"] == pytest.approx(better, abs=1e-9)
    whole = report["whole_history"]
    assert whole["auc"]["estimate"] > whole["until_snapshot"]["estimate"]
