"""JSON lines, logs, Segment exports, Parquet and the exercise's tables; and what mappings make of values."""

import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.sources.mapping import read_mapping
from livelift.sources.row import SourceError
from models.simulation import simulate
from tests.support.mappings import USED, signed_up
from tests.support.sources import events, outcomes, refusals, send, stream, write, written

pytestmark = pytest.mark.shell
AT = "2026-05-05T08:00:00Z"


def mapped(folder, kind, path, event, source=""):
    name = path.partition(".")[0].replace("/", "-").replace("*", "all")
    return write(folder, "m.toml", f'[source]\nkind = "{kind}"\nname = "{name}"\npath = "{path}"\n{source}\n{event}')


def one(folder, event, row, source=""):
    """What a mapping makes of one JSON row: its events, or why it was refused."""
    write(folder, "rows.jsonl", json.dumps(row) + "\n")
    (found,) = outcomes(mapped(folder, "jsonl", "rows.jsonl", event, source))
    return [json.loads(made.value) for made in found.made] if found.reason is None else found.detail


# -- lines -------------------------------------------------------------------------------------------------------------


def test_json_lines_packed_or_not_and_what_is_no_json_is_named(tmp_path):
    lines = [json.dumps({"at": AT, "account": "acme", "feature": f"f{n}"}) for n in range(3)]
    text = "\n".join([lines[0], "{", "[]", "", *lines[1:]]) + "\n"
    write(tmp_path, "log.jsonl", text)
    write(tmp_path, "log.jsonl.gz", gzip.compress(text.encode()))
    for path in ("log.jsonl", "log.jsonl.gz"):
        found = outcomes(mapped(tmp_path, "jsonl", path, USED))
        assert [event["properties"]["feature"] for event in events(found)] == ["f0", "f1", "f2"]
        first, second = refusals(found)
        assert first.startswith(f"{path} line 2: unreadable: not JSON")
        assert second == f"{path} line 3: unreadable: not a JSON object: list"


def test_several_files_are_read_in_order_of_their_names(tmp_path):
    for day in ("b", "a"):
        write(tmp_path, f"logs/{day}.jsonl", json.dumps({"at": AT, "account": "acme", "feature": day}) + "\n")
    found = outcomes(mapped(tmp_path, "jsonl", "logs/*.jsonl", USED))
    assert [event["properties"]["feature"] for event in events(found)] == ["a", "b"]
    with pytest.raises(SourceError, match="no such file"):
        outcomes(mapped(tmp_path, "jsonl", "logs/*.json", USED))


ACCESS = """
[[event]]
type = "help_engaged"
when = { path = { matches = "^/help/" }, status = { least = 200, below = 300 } }
at = { from = "{time}", format = "%d/%b/%Y:%H:%M:%S %z" }
account_id = "{user}"
user_id = "{user}"
properties = { source = "OTHER", article = "{path}" }
"""


def test_an_access_log(tmp_path):
    write(tmp_path, "access.log", "\n".join([
        '127.0.0.1 - ann [10/Oct/2025:13:55:36 -0700] "GET /help/start?x=1 HTTP/1.0" 200 2326',
        r'::1 - bob [10/Oct/2025:13:55:37 -0700] "GET /help/a\"b HTTP/1.1" 200 - "http://x/" "Mozilla/5.0 \"x\""',
        '::1 - bob [10/Oct/2025:13:55:38 -0700] "GET /help/gone HTTP/1.1" 404 9 "-" "-"',
        '::1 - - [10/Oct/2025:13:55:39 -0700] "GET /help/nobody HTTP/1.1" 200 9 "-" "-"',
        '::1 - - [10/Oct/2025:13:55:39 -0700] "\\x16\\x03" 400 0 "-" "-"',
        "no line of such a log",
        '::1 - eve [10/Oct/2025:13:55:40 -0700] "GET /help/half',
    ]))  # fmt: skip
    path = mapped(tmp_path, "access-log", "access.log", ACCESS)
    found = outcomes(path)
    made = events(found)
    assert [(event["account_id"], event["properties"]["article"]) for event in made] == [
        ("ann", "/help/start"), ("bob", r"/help/a\"b"),
    ]  # fmt: skip
    assert made[0]["at"] == "2025-10-10T20:55:36Z"
    assert [line.split(":")[0] for line in refusals(found)] == ["access.log line 4", "access.log line 6"]
    assert len(found) == 6, "the last line is still being written"


def test_an_application_log_by_a_pattern(tmp_path):
    write(tmp_path, "app.log", "2026-05-05 08:00:00 INFO export account=acme\nsomething else\n")
    pattern = r"pattern = '^(?P<at>\S+ \S+) INFO (?P<feature>\w+) account=(?P<account>\w+)'" + '\nzone = "UTC"'
    found = outcomes(mapped(tmp_path, "log", "app.log", USED, pattern))
    assert [(event["at"], event["account_id"]) for event in events(found)] == [(AT, "acme")]
    assert (len(found), refusals(found)) == (2, []), "a line that does not match is filtered"
    strict = outcomes(mapped(tmp_path, "log", "app.log", USED, pattern + "\nstrict = true"))
    assert refusals(strict) == ["app.log line 2: unreadable: the pattern does not match"]
    with pytest.raises(SourceError, match="is no regular expression"):
        outcomes(mapped(tmp_path, "log", "app.log", USED, "pattern = '('"))


def test_a_segment_export_by_the_contract_and_by_a_mapping_of_its_own(tmp_path):
    common = {"userId": "ann", "timestamp": AT, "context": {"groupId": "acme"}}
    rows = [
        {"type": "track", "event": "task_completed", "messageId": "m1", "properties": {"task": "1"}, **common},
        {"type": "track", "event": "Signed Up", "messageId": "m2", "properties": {}, **common},
        {"type": "identify", "messageId": "m3", "traits": {"role": "admin"}, **common},
        {"type": "page", "messageId": "m4", **common},
    ]
    write(tmp_path, "segment.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    plain = outcomes(mapped(tmp_path, "segment", "segment.jsonl", ""))
    assert [event["type"] for event in events(plain)] == ["task_completed", "traits_set"]
    assert (len(plain), refusals(plain)) == (4, [])
    own = events(outcomes(mapped(tmp_path, "segment", "segment.jsonl", signed_up(user="{userId}"))))
    assert [(event["type"], event["id"]) for event in own] == [
        ("task_completed", "m1"), ("trial_started", "segment:trial_started:m2"), ("traits_set", "m3"),
    ]  # fmt: skip


# -- Parquet and the exercise ------------------------------------------------------------------------------------------


def test_parquet_goes_on_in_the_middle_of_a_row_group(tmp_path):
    table = pa.table({
        "at": [datetime(2026, 5, 5, 8, tzinfo=UTC)] * 5_000, "account": [f"a{n}" for n in range(5_000)],
        "feature": ["x"] * 5_000, "unread": [None] * 5_000,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "use.parquet", row_group_size=2_200)
    path = mapped(tmp_path, "parquet", "use.parquet", USED)
    whole = [outcome.made[0].account for outcome in stream(path).outcomes()]
    assert whole == [f"a{n}" for n in range(5_000)]
    for stop in (0, 1, 2_199, 2_200, 3_456, 5_000):
        running = stream(path)
        seen = running.outcomes()
        before = [next(seen).made[0].account for _ in range(stop)]
        place = running.reader.place() if stop else None
        assert before + [outcome.made[0].account for outcome in stream(path).outcomes(place)] == whole
    with pytest.raises(SourceError, match="no column 'acount'; there are at, account"):
        outcomes(mapped(tmp_path, "parquet", "use.parquet", USED.replace("{account}", "{acount}")))
    write(tmp_path, "no.parquet", "text")
    with pytest.raises(SourceError, match=r"no.parquet: no Parquet that can be read"):
        outcomes(mapped(tmp_path, "parquet", "no.parquet", USED))


def test_the_exercises_tables_are_sent_as_they_are_replayed(tmp_path):
    write_exercise(simulate(customers=60, seed=3), tmp_path / "trial")
    path = mapped(tmp_path, "exercise", "trial", "")
    sending = send(path, tmp_path / "out")
    recorded = [json.loads(record.value) for record in open_recording(tmp_path / "trial").records() if record.topic]
    got = [{name: value for name, value in event.items() if name != "topic"} for event in written(tmp_path / "out")]
    assert sorted(got, key=lambda event: event["id"]) == sorted(recorded, key=lambda event: event["id"])
    assert sending.counts.sent == len(recorded)


# -- values ------------------------------------------------------------------------------------------------------------

EVENT = 'type = "traits_set"\nat = "{at}"\naccount_id = "{account}"\n'
ROW = {"at": AT, "account": "acme"}


def traits(folder, value, row, source=""):
    found = one(folder, f"[[event]]\n{EVENT}properties = {{ x = {value} }}", ROW | row, source)
    return found[0]["properties"].get("x") if isinstance(found, list) else found


@pytest.mark.parametrize(
    ("value", "row", "made"),
    [
        ('"{a}"', {"a": 1.5}, 1.5),
        ('"{a}"', {"a": " x "}, "x"),
        ('"{a}"', {"a": ""}, None),
        ('"{a}-{b}"', {"a": 1, "b": True}, "1-true"),
        ('"{a}-{b}"', {"a": 1}, None),
        ('"{a.b}"', {"a": {"b": 2}}, 2),
        ('"{a.b}"', {"a.b": 3}, 3),
        ("7", {}, 7),
        ('{ from = "{a}", as = "integer" }', {"a": "5.0"}, 5),
        ('{ from = "{a}", as = "integer" }', {"a": "5.5"}, "'5.5' is not a whole number"),
        ('{ from = "{a}", as = "number" }', {"a": "1_0"}, "'1_0' is not a number"),
        ('{ from = "{a}", as = "boolean" }', {"a": "No"}, False),
        ('{ from = "{a}", as = "boolean" }', {"a": "maybe"}, "'maybe' is neither true nor false"),
        ('{ from = "{a}", as = "text" }', {"a": 5.0}, "5"),
        ('{ from = "{a}", map = { x = 1 } }', {"a": "x"}, 1),
        ('{ from = "{a}", map = { x = 1 } }', {"a": "y"}, None),
        ('{ from = "{a}", map = { x = 1 }, default = 0 }', {"a": "y"}, 0),
        ('{ from = "{a}", lower = true }', {"a": "Ann@X.example"}, "ann@x.example"),
        ('"{#file}:{#line}"', {}, "rows.jsonl:1"),
    ],
)
def test_values(tmp_path, value, row, made):
    assert traits(tmp_path, value, row) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [("1.234,5", 1234.5), ("0,5", 0.5), ("12", 12), ("-1.000.000", -1_000_000), ("1.23,4", None), ("1.2", None)],
)
def test_decimal_commas(tmp_path, text, made):
    found = traits(tmp_path, '{ from = "{a}", as = "number" }', {"a": text}, 'decimal = ","\nthousands = "."')
    assert found == made if made is not None else "is not a number" in found


def test_a_decimal_comma_without_a_thousands_sign_does_not_guess_what_a_dot_is(tmp_path):
    found = traits(tmp_path, '{ from = "{a}", as = "number" }', {"a": "1.234"}, 'decimal = ","')
    assert found == "'1.234' has a dot, and `decimal` is a comma: is the dot `thousands`?"


def test_ids_are_hashed_by_a_key_that_is_not_in_the_mapping(tmp_path, monkeypatch):
    hashed = '{ from = "{a}", lower = true, hash = true }'
    monkeypatch.setenv("SOURCE_KEY", "0123456789abcdef")
    made = traits(tmp_path, hashed, {"a": "Ann@x.example"}, 'hash_key = "env:SOURCE_KEY"')
    # openssl: printf ann@x.example | openssl dgst -sha256 -hmac 0123456789abcdef
    assert made == "aac9b624d7a14e4e3c628ebb51ba4f385d9042e7a5c00b739be1f5431d352dd8"
    write(tmp_path, "key", "0123456789abcdef\n")
    assert traits(tmp_path, hashed, {"a": "ann@x.example"}, 'hash_key = "file:key"') == made
    monkeypatch.setenv("SOURCE_KEY", "short")
    with pytest.raises(SourceError, match="at least 16 bytes"):
        traits(tmp_path, hashed, {"a": "x"}, 'hash_key = "env:SOURCE_KEY"')
    with pytest.raises(SourceError, match="hash_key"):
        traits(tmp_path, hashed, {"a": "x"}, 'hash_key = "0123456789abcdef"')


@pytest.mark.parametrize(
    ("when", "sent"),
    [('a = "x"', True), ('a = ["x", "y"]', True), ('a = "y"', False), ('a = { not = "x" }', False),
     ("b = 1", True), ("b = { least = 1, below = 2 }", True), ("b = { below = 1 }", False), ("c = { empty = true }", True),
     ("c = { empty = false }", False), ('a = { matches = "^x$" }', True), ("d = true", True), ('"{a}-{b}" = "x-1"', True),
     ('a = "x", b = 2', False)],
)  # fmt: skip
def test_conditions(tmp_path, when, sent):
    event = f"[[event]]\n{EVENT}when = {{ {when} }}"
    assert bool(one(tmp_path, event, ROW | {"a": "x", "b": 1.0, "d": True})) is sent


def test_a_row_of_which_one_event_is_refused_sends_none(tmp_path):
    good = '[[event]]\ntype = "trial_started"\nat = "{at}"\naccount_id = "{account}"\n'
    bad = '[[event]]\ntype = "task_started"\nat = "{at}"\naccount_id = "{account}"\nproperties = { task = "1" }\n'
    assert len(one(tmp_path, good, ROW)) == 1
    assert one(tmp_path, good + bad, ROW) == "task_started needs a user_id"


def test_two_events_of_a_type_have_ids_of_their_own_and_long_keys_are_hashed(tmp_path):
    twice = one(tmp_path, (f"[[event]]\n{EVENT}\n") * 2, ROW)
    assert [event["id"] for event in twice] == ["rows:traits_set:rows.jsonl:1", "rows:traits_set.2:rows.jsonl:1"]
    (long,) = one(tmp_path, f'[[event]]\n{EVENT}id = "{{k}}"\n', ROW | {"k": "k" * 300})
    assert len(long["id"]) <= 128


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[source]\nkind = 'csv'\nname = 'x'\n", "missing required field `path`"),
        ("[source]\nkind = 'xml'\nname = 'x'\n", "Invalid value 'xml'"),
        ("[source]\nkind = 'csv'\nname = 'x'\npath = 'x'\npth = 1\n", "unknown field `pth`"),
        ("[source]\nkind = 'csv'\nname = 'x'\npath = 'x'\n", "no [[event]] in it"),
        ("[source]\nkind = 'csv'\nname = 'x'\npath = 'x'\n[[event]]\ntype = 'foo'\nat = ''\n", "'foo' is no type"),
        ("[source]\nkind = 'csv'\nname = 'x'\npath = 'x'\n[[event]]\ntype = 'converted'\nat = ''\n", "give account_id"),
        ("[source\n", "m.toml"),
    ],
)
def test_a_wrong_mapping_is_named(tmp_path, text, said):
    path = write(tmp_path, "m.toml", text)
    with pytest.raises(SourceError) as error:
        read_mapping(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)
