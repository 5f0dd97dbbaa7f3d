"""Recordings: what is in the folder is sent, in order, with the ticks that tell the time."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from livelift.recording import Recording, RecordingError, open_recording
from livelift.recording.write import write_exercise
from models.clock import DAY, HOUR, micros, rfc3339
from models.decode import Decode, Ignored, Refusal
from models.events import SOURCES
from models.plan import read_plan
from models.product import read_product
from models.simulation import simulate

COHORTS = "customer_id,cohort,joined_at,employees,segment,paying\n7,Test,2026-05-05 08:00:00,12,retail,false\n"
ACTIVITY = "customer_id,task,at,started_at\n7,1,2026-05-05T09:00:00Z,2026-05-05T08:30:00Z\n7,2,,2026-05-05T09:30:00Z\n"
HELP = "customer_id,at,help,channel,needed_at\n7,2026-05-05T10:00:00Z,CS,chat,2026-05-05T09:45:00Z\n"
CONVERSION = "customer_id,converted,at\n7,1,2026-05-06T10:00:00+02:00\n"
PLAN = """
[experiment]
id = "widget"
control = "old"
arms = { old = 0.7, new = 0.3 }
starts_at = 2026-05-05T00:00:00Z
planned_units = 100
[[metric]]
name = "converted"
role = "primary"
window_days = 30
[[metric]]
name = "retained"
window_days = 3
"""


def event(at: str | float, number: int = 1, **other: Any) -> dict[str, Any]:
    return {"topic": "product-events", "id": f"e{number}", "type": "session_started", "at": at, "account_id": "acme",
            "user_id": "ann", **other}  # fmt: skip


def lines(folder: Path, *given: dict[str, Any] | str) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in given)
    (folder / "events.jsonl").write_text(text + "\n", encoding="utf-8")
    return folder


def tables(folder: Path, **changed: str) -> Path:
    given = {"test_cohorts": COHORTS, "product_activity": ACTIVITY, "help_activity": HELP, "conversion": CONVERSION}
    for name, text in {**given, **changed}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def plan(folder: Path, text: str = PLAN) -> None:
    (folder / "plans").mkdir(exist_ok=True)
    (folder / "plans" / "widget.toml").write_text(text, encoding="utf-8")


def sent(recording: Recording) -> list[str]:
    """What is sent, as ids; a tick as its time."""
    values = [json.loads(record.value) for record in recording.records()]
    return [value["at"] if value["type"] == "tick" else value["id"] for value in values]


def events(recording: Recording) -> dict[str, dict[str, Any]]:
    values = [json.loads(record.value) for record in recording.records() if record.topic is not None]
    return {value["id"]: value for value in values}


# -- events.jsonl ------------------------------------------------------------------------------------------------------


def test_lines_are_sent_in_order_of_time_with_a_tick_behind_the_events_of_its_instant(tmp_path: Path) -> None:
    tick = {"type": "tick", "at": "2026-05-05T10:00:00Z"}
    lines(tmp_path, event("2026-05-05T11:00:00Z", 3), tick, event("2026-05-05T12:00:00+02:00", 1), event(1777975200, 2))
    recording = open_recording(tmp_path)
    assert sent(recording) == ["e1", "e2", "2026-05-05T10:00:00Z", "e3"]
    assert (recording.events, recording.ticks, recording.refused) == (3, 1, [])
    assert rfc3339(recording.last_tick) == "2026-05-05T10:00:00Z"
    assert [record.topic for record in recording.records()].index(None) == 2
    assert sent(open_recording(tmp_path, as_written=True)) == ["e3", "2026-05-05T10:00:00Z", "e1", "e2"]


def test_a_record_is_the_line_as_given_keyed_by_its_account(tmp_path: Path) -> None:
    line = '{ "at":"2026-05-05T10:00:00Z","topic":"help-events", "account_id":"acmé", "later_field": [1]}'
    record = next(open_recording(lines(tmp_path, line)).records())
    assert (record.topic, record.key, record.value) == ("help-events", "acmé".encode(), line.encode())


def test_a_tick_a_day_is_supplied_up_to_the_last_event_and_the_lateness(tmp_path: Path) -> None:
    lines(tmp_path, event("2026-05-05T10:00:00Z", 1), event("2026-05-07T00:00:00Z", 2))
    expected = ["e1", "2026-05-06T00:00:00Z", "e2", "2026-05-07T00:00:00Z", "2026-05-07T01:00:00Z"]
    assert sent(open_recording(tmp_path)) == expected
    (tmp_path / "livelift.toml").write_text("lateness_hours = 48")
    assert sent(open_recording(tmp_path))[-2:] == ["2026-05-08T00:00:00Z", "2026-05-09T00:00:00Z"]


def test_ticks_go_on_until_the_last_assignment_has_matured(tmp_path: Path) -> None:
    assigned: dict[str, Any] = {"type": "experiment_assigned", "properties": {"experiment": "widget", "arm": "new"}}
    other: dict[str, Any] = {"type": "experiment_assigned", "properties": {"experiment": "another", "arm": "new"}}
    lines(tmp_path, event("2026-05-05T10:00:00Z", 1, **assigned), event("2026-05-07T00:00:00Z", 2, **other))
    plan(tmp_path)
    recording = open_recording(tmp_path)
    assert rfc3339(recording.last_tick) == "2026-06-04T11:00:00Z"
    assert recording.ticks == 31


def test_as_written_a_supplied_tick_comes_as_early_as_it_is_true(tmp_path: Path) -> None:
    days = {3: "2026-05-07", 1: "2026-05-05", 2: "2026-05-06"}
    lines(tmp_path, *(event(f"{day}T10:00:00Z", number) for number, day in days.items()))
    midnights = ["2026-05-06T00:00:00Z", "2026-05-07T00:00:00Z", "2026-05-07T11:00:00Z"]
    assert sent(open_recording(tmp_path, as_written=True)) == ["e3", "e1", midnights[0], "e2", *midnights[1:]]


def test_a_wrong_clock_in_one_event_makes_no_thousand_years_of_ticks(tmp_path: Path) -> None:
    lines(tmp_path, event(0, 1), event("2026-05-05T10:00:00Z", 2), event("2999-01-01T00:00:00Z", 3), event(1e300, 4))
    recording = open_recording(tmp_path)
    assert sent(recording) == ["e1", "e2", "2026-05-05T11:00:00Z", "e3", "e4"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[" * 1_000_000, "no time `at`"),
        ('{"topic":"product-events","id":"x"}', "no time `at`"),
        (json.dumps(event("yesterday")), "`at` is not a time: 'yesterday'"),
        (json.dumps(event("2026-05-05T10:00:00Z", topic="usage")), "no such topic: 'usage'"),
        ('{"at":"2026-05-05T10:00:00Z","id":"x"}', "no topic"),
        ('{"type":"tick"}', "no time `at`"),
        (json.dumps(event("2026-05-05T10:00:00Z", padding="x" * 1_048_576)), "more than a record"),
    ],
)
def test_a_line_without_a_place_is_refused_by_number_and_the_others_are_sent(
    tmp_path: Path, line: str, complaint: str
) -> None:
    recording = open_recording(lines(tmp_path, event("2026-05-05T10:00:00Z", 1), "", line))
    assert sent(recording)[0] == "e1" and recording.events == 1
    assert len(recording.refused) == 1
    assert recording.refused[0].startswith("events.jsonl line 3: ") and complaint in recording.refused[0]


@pytest.mark.parametrize(
    "line",
    [
        '{"topic":"product-events","at":"2026-05-05T10:00:00Z","type":7,"account_id":[1]}',
        '{"topic":"product-events","at":"2026-05-05T10:00:00Z","account_id":"acme","x":NaN}',
        '{"topic":"product-events","at":"2026-05-05T10:00:00Z","account_id":"ac',
        '{"topic":"product-events","at":"2026-05-05 10:00:00","type":"session_started","id":"a","account_id":"b"}',
        '{"topic":"product-events","at":1777975200.0,"x":' + "[" * 5000,
    ],
)
def test_a_broken_line_with_a_place_is_played_for_the_system_to_refuse(tmp_path: Path, line: str) -> None:
    recording = open_recording(lines(tmp_path, line))
    record = next(recording.records())
    assert (record.value, rfc3339(record.at), recording.refused) == (line.encode(), "2026-05-05T10:00:00Z", [])
    assert isinstance(Decode()(0, record.value), Refusal)


def test_anothers_event_is_placed_by_its_own_time(tmp_path: Path) -> None:
    track = {"topic": "product-events", "type": "track", "messageId": "m", "userId": "u", "event": "Clicked",
             "timestamp": "2026-05-05T10:00:00Z"}  # fmt: skip
    record = next(open_recording(lines(tmp_path, track)).records())
    assert rfc3339(record.at) == "2026-05-05T10:00:00Z"
    assert isinstance(Decode()(0, record.value), Ignored)


# -- the four tables ---------------------------------------------------------------------------------------------------


def test_the_four_tables_are_read_as_events(tmp_path: Path) -> None:
    found = events(open_recording(tables(tmp_path)))
    assert {id_: (value["type"], value["at"], value["properties"]) for id_, value in found.items()} == {
        "trial_started:7": ("trial_started", "2026-05-05T08:00:00Z", {}),
        "traits_set:7": (
            "traits_set", "2026-05-05T08:00:00Z", {"employees": 12, "segment": "retail", "paying": False},
        ),
        "experiment_assigned:7": (
            "experiment_assigned", "2026-05-05T08:00:00Z", {"experiment": "trial-exercise", "arm": "test"},
        ),
        "task_started:7:1": ("task_started", "2026-05-05T08:30:00Z", {"task": "1"}),
        "task_completed:7:1": ("task_completed", "2026-05-05T09:00:00Z", {"task": "1"}),
        "task_started:7:2": ("task_started", "2026-05-05T09:30:00Z", {"task": "2"}),
        "help_needed:7:2026-05-05T09:45:00Z": ("help_needed", "2026-05-05T09:45:00Z", {}),
        "help_engaged:7:2026-05-05T10:00:00Z": (
            "help_engaged", "2026-05-05T10:00:00Z", {"source": "CS", "channel": "chat"},
        ),
        "converted:7": ("converted", "2026-05-06T08:00:00Z", {}),
    }  # fmt: skip
    assert {(value["account_id"], value["user_id"]) for value in found.values()} == {("7", "7")}


def test_without_needed_at_trouble_is_when_help_came_and_an_empty_cell_means_no_trouble(tmp_path: Path) -> None:
    bare = tables(tmp_path, help_activity="customer_id,at,help\n7,2026-05-05T10:00:00Z,OTHER\n")
    assert events(open_recording(bare))["help_needed:7:2026-05-05T10:00:00Z"]
    curious = tables(tmp_path, help_activity=HELP.replace(",2026-05-05T09:45:00Z", ","))
    assert "help_needed" not in {value["type"] for value in events(open_recording(curious)).values()}


def test_accounts_of_the_cohort_table_are_keys_and_the_plan_names_experiment_and_arms(tmp_path: Path) -> None:
    cohorts = "customer_id,cohort,joined_at,account_id\n7,test,2026-05-05,acme\n8,Control,2026-05-05,acme\n"
    plan(tables(tmp_path, test_cohorts=cohorts))
    recording = open_recording(tmp_path)
    assert {record.key for record in recording.records() if record.topic} == {b"acme"}
    found = events(recording)
    assert found["task_completed:7:1"]["account_id"] == "acme"
    assert found["experiment_assigned:7"]["properties"] == {"experiment": "widget", "arm": "new"}
    assert found["experiment_assigned:8"]["properties"] == {"experiment": "widget", "arm": "old"}


def test_identical_rows_keep_ids_of_their_own_that_are_the_same_on_every_reading(tmp_path: Path) -> None:
    tables(tmp_path, conversion=CONVERSION + CONVERSION.splitlines()[1] + "\n")
    first, again = sent(open_recording(tmp_path)), sent(open_recording(tmp_path))
    assert {"converted:7", "converted:7:2"} <= set(first) and first == again


@pytest.mark.parametrize(
    ("table", "text", "complaint"),
    [
        ("test_cohorts", COHORTS.replace("Test", "Blue"), "test_cohorts.csv line 2: cohort is 'Blue', neither"),
        ("product_activity", ACTIVITY.replace("T09:00", " nine"), "product_activity.csv line 2: at is '2026-05-05 n"),
        ("product_activity", ACTIVITY + "7,3,,\n", "product_activity.csv line 4: neither at nor started_at"),
        ("help_activity", HELP.replace("CS", "cat"), "help_activity.csv line 2: help is 'cat'"),
        ("conversion", CONVERSION.replace("7,1", "7,yes"), "conversion.csv line 2: converted is 'yes', neither"),
        ("conversion", CONVERSION.replace("7,1", ",1"), "conversion.csv line 2: customer_id is empty"),
        ("conversion", "customer_id,at\n", "conversion.csv line 1: no column converted"),
    ],
)
def test_a_bad_row_is_an_error_with_file_line_and_what_is_wrong(
    tmp_path: Path, table: str, text: str, complaint: str
) -> None:
    with pytest.raises(RecordingError, match="^" + complaint.replace(".", r"\.")):
        open_recording(tables(tmp_path, **{table: text}))


def test_a_folder_that_cannot_be_read_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no recording"):
        open_recording(tmp_path)
    tables(tmp_path)
    (tmp_path / "conversion.csv").unlink()
    with pytest.raises(RecordingError, match=r"conversion\.csv is missing"):
        open_recording(tmp_path)
    with pytest.raises(RecordingError, match="holds both"):
        open_recording(lines(tables(tmp_path), event("2026-05-05T10:00:00Z")))
    (tmp_path / "events.jsonl").unlink()
    plan(tmp_path, PLAN.replace("0.3", "0.4"))
    with pytest.raises(RecordingError, match=r"widget\.toml: arms: the shares add up to 1\.1"):
        open_recording(tmp_path)
    plan(tmp_path)
    (tmp_path / "livelift.toml").write_text("lateness_hours = -1")
    with pytest.raises(RecordingError, match=r"livelift\.toml: .*lateness_hours"):
        open_recording(tmp_path)


# -- a simulation, written and read back -------------------------------------------------------------------------------


def test_a_simulation_written_and_opened_again_holds_every_customer(tmp_path: Path) -> None:
    exercise = simulate(customers=200, seed=3)
    write_exercise(exercise, tmp_path / "trial")
    recording = open_recording(tmp_path / "trial")
    customers = list(exercise.customers())
    decode, kinds = Decode(people_are_accounts=True), Counter[str]()
    for record in recording.records():
        decoded = decode(SOURCES.index(record.topic or SOURCES[0]), record.value)
        assert not isinstance(decoded, Refusal | Ignored)
        kinds[str(decoded.__struct_config__.tag)] += 1
    attempts = [attempt for customer in customers for attempt in customer.attempts]
    rescues = [rescue for customer in customers for rescue in customer.rescues]
    assert kinds == {
        "trial_started": 200,
        "traits_set": 200,
        "experiment_assigned": 200,
        "task_started": len(attempts),
        "task_completed": sum(attempt.completed_at is not None for attempt in attempts),
        "help_needed": sum(rescue.needed_at is not None for rescue in rescues),
        "help_engaged": len(rescues),
        "converted": sum(customer.converted for customer in customers),
        "trial_lapsed": sum(not customer.converted for customer in customers),
        "tick": recording.ticks,
    }
    assert recording.events == kinds.total() - recording.ticks and recording.refused == []
    assert recording.last_tick == max(customer.joined_at for customer in customers) + 30 * DAY + HOUR


def test_a_simulation_says_that_it_is_one_and_states_its_truth(tmp_path: Path) -> None:
    exercise = simulate(customers=50, seed=3)
    write_exercise(exercise, tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["simulated"] is True and truth["seed"] == 3 and truth["population"]["itt"] > 0
    recording = open_recording(tmp_path)
    assert recording.simulated and recording.config is not None
    product = read_product(recording.config.read_bytes())
    assert product.simulated and product.people_are_accounts and product.tasks == {"1", "2", "3"}
    (path,) = recording.plans
    published = read_plan(path.read_bytes())
    assert published.experiment.arms == {"control": 0.7, "test": 0.3}
    assert published.starts_at <= min(customer.joined_at for customer in exercise.customers())
    assert published.starts_at == micros(published.experiment.starts_at)


def test_writing_again_writes_the_same_and_never_over_anything_observed(tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(tmp_path.rglob("*.*"))}

    write_exercise(simulate(40, 1), tmp_path)
    before = contents()
    write_exercise(simulate(40, 2), tmp_path)
    assert contents() != before
    write_exercise(simulate(40, 1), tmp_path)
    assert contents() == before
    (tmp_path / "truth.json").unlink()
    with pytest.raises(RecordingError, match="not empty"):
        write_exercise(simulate(40, 1), tmp_path)
