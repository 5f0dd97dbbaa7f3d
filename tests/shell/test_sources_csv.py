"""CSV as it comes: what is wrong with it is said with file and line, and reading goes on where it can."""

from pathlib import Path

import pytest

from livelift.sources.row import SourceError
from tests.support.sources import events, outcomes, refusals, send, write, written

pytestmark = pytest.mark.shell

MAPPING = """
[source]
kind = "csv"
name = "answers"
path = "answers.csv"
{source}
[[event]]
type = "survey_answered"
at = "{{at}}"
account_id = "{{account}}"
user_id = "{{user}}"
properties = {{ survey = "nps", score = {{ from = "{{score}}", as = "integer" }} }}
"""
HEADER = "at,account,user,score\n"
GOOD = "2026-05-05T08:00:00Z,acme,ann,9\n"


def mapping(folder: Path, content: str | bytes, source: str = "") -> Path:
    write(folder, "answers.csv", content)
    return write(folder, "answers.toml", MAPPING.format(source=source))


def numbers(found) -> list[int]:
    return [outcome.number for outcome in found if outcome.made]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_whatever_it_is_separated_by_is_seen(tmp_path, delimiter):
    found = outcomes(mapping(tmp_path, (HEADER + GOOD * 3).replace(",", delimiter)))
    assert [event["properties"] for event in events(found)] == [{"survey": "nps", "score": 9}] * 3
    assert [event["id"] for event in events(found)] == [f"answers:survey_answered:answers.csv:{n}" for n in (2, 3, 4)]


def test_a_wrong_delimiter_in_the_mapping_and_in_one_line_is_named(tmp_path):
    semicolons = (HEADER + GOOD * 3).replace(",", ";")
    with pytest.raises(SourceError, match=r"answers.csv line 1: one column only by delimiter ','.*separated by ';'"):
        outcomes(mapping(tmp_path, semicolons, 'delimiter = ","'))
    found = outcomes(mapping(tmp_path, HEADER + GOOD + GOOD.replace(",", ";") + GOOD))
    assert refusals(found) == [
        "answers.csv line 3: unreadable: 1 field where the header has 4; the line seems to be separated by ';'"
    ]
    assert numbers(found) == [2, 4]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path):
    found = outcomes(mapping(tmp_path, HEADER + GOOD + GOOD.replace("acme", '"acme') + GOOD * 300))
    assert refusals(found) == ["answers.csv line 3: unreadable: a quote is opened and not closed"]
    assert numbers(found) == [2, *range(4, 304)]


def test_two_broken_quotes_far_apart_do_not_swallow_what_is_between_them(tmp_path):
    broken = GOOD.replace("acme", '"acme')
    found = outcomes(mapping(tmp_path, HEADER + broken + GOOD * 10 + broken + GOOD))
    assert [line.split(": ")[0] for line in refusals(found)] == ["answers.csv line 2", "answers.csv line 13"]
    assert numbers(found) == [*range(3, 13), 14]


def test_text_behind_a_closing_quote_is_refused_and_a_quote_within_a_word_is_not(tmp_path):
    found = outcomes(mapping(tmp_path, HEADER + GOOD.replace("acme", '"acme"x') + GOOD.replace("acme", '5" screens')))
    (refused,) = refusals(found)
    assert refused.startswith("answers.csv line 2: unreadable: broken quotes")
    assert events(found)[0]["account_id"] == '5" screens'


def test_a_quoted_field_may_go_over_lines_and_hold_delimiters_and_quotes(tmp_path):
    found = outcomes(mapping(tmp_path, HEADER + GOOD.replace("acme", '"ac\nme, ""x"""') + GOOD))
    assert [event["account_id"] for event in events(found)] == ['ac\nme, "x"', "acme"]
    assert numbers(found) == [2, 4], "a row has the number of its first line"


def test_mixed_encodings_are_refused_line_by_line_until_the_mapping_names_them(tmp_path):
    mixed = (HEADER + GOOD.replace("acme", "Zoë")).encode() + GOOD.replace("acme", "Åsa").encode("cp1252")
    found = outcomes(mapping(tmp_path, mixed))
    (refused,) = refusals(found)
    assert refused.startswith("answers.csv line 3: unreadable: not utf-8 at byte 22 of the line")
    found = outcomes(mapping(tmp_path, mixed, 'encoding = ["utf-8", "cp1252"]'))
    assert [event["account_id"] for event in events(found)] == ["Zoë", "Åsa"]


def test_a_byte_order_mark_is_no_part_of_the_first_column_and_utf_16_is_named(tmp_path):
    assert len(events(outcomes(mapping(tmp_path, b"\xef\xbb\xbf" + (HEADER + GOOD).encode())))) == 1
    with pytest.raises(SourceError, match="line 1: UTF-16"):
        outcomes(mapping(tmp_path, (HEADER + GOOD).encode("utf-16")))
    with pytest.raises(SourceError, match="line 1: lines end with CR alone"):
        outcomes(mapping(tmp_path, (HEADER + GOOD).replace("\n", "\r")))


def test_a_header_that_names_a_used_column_twice_is_refused_and_columns_mend_it(tmp_path):
    content = "at,account,user,account,score\n2026-05-05T08:00:00Z,acme,ann,other,9\n"
    with pytest.raises(SourceError, match=r"answers.csv line 1: the column 'account' is there 2 times \(fields 2, 4\)"):
        outcomes(mapping(tmp_path, content))
    mended = outcomes(mapping(tmp_path, content, 'columns = ["at", "account", "user", "branch", "score"]'))
    assert events(mended)[0]["account_id"] == "acme"
    told: list[str] = []
    unused = content.replace("account,score", "x,x,score").replace("other,9", "1,2,9")
    assert len(events(outcomes(mapping(tmp_path, unused), told=told))) == 1
    assert told == ["%s line 1: the column 'x' is there 2 times (fields 4, 5); the last one counts, the mapping does "
                    "not use it" % (tmp_path / "answers.csv")]  # fmt: skip


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path):
    with pytest.raises(SourceError, match=r"line 1: no column 'account' \(did you mean 'accounts'\?\)"):
        outcomes(mapping(tmp_path, HEADER.replace("account", "accounts") + GOOD))


def test_what_the_scorer_would_refuse_is_refused_here_for_its_reason(tmp_path):
    rows = [
        GOOD.replace(",9", ",11"),
        GOOD.replace(",ann", ","),
        GOOD.replace("2026", "1999"),
        GOOD.replace("2026", "2036"),
        GOOD.replace(",9", ",x"),
        GOOD,
    ]
    found = outcomes(mapping(tmp_path, HEADER + "".join(rows)))
    assert [outcome.reason for outcome in found] == [
        "out_of_range", "required_missing", "implausible_time", "implausible_time", "unreadable", None,
    ]  # fmt: skip
    assert refusals(found)[4] == "answers.csv line 6: unreadable: 'x' is not a number"


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    found = outcomes(mapping(tmp_path, HEADER + "x" * 3_000_000 + "\n" + GOOD))
    assert refusals(found) == ["answers.csv line 2: unreadable: longer than 1 MiB"]
    assert numbers(found) == [3]


def test_every_row_is_counted_and_nothing_is_written_twice(tmp_path):
    path = mapping(tmp_path, HEADER + GOOD * 3 + GOOD.replace(",9", ",11") + GOOD)
    sending = send(path, tmp_path / "out")
    assert str(sending.counts) == "5 rows read = 4 sent + 1 refused (1 out_of_range) + 0 filtered; 4 events"
    again = send(path, tmp_path / "out")
    assert (again.new_rows, again.counts.rows) == (0, 5)
    with (tmp_path / "answers.csv").open("a") as file:
        file.write(GOOD)
    more = send(path, tmp_path / "out")
    assert (more.new_rows, more.counts.rows) == (1, 6)
    assert len({event["id"] for event in written(tmp_path / "out")}) == len(written(tmp_path / "out")) == 5


def test_a_file_that_is_another_one_now_is_not_read_on(tmp_path):
    path = mapping(tmp_path, HEADER + GOOD * 3)
    send(path, tmp_path / "out")
    mapping(tmp_path, HEADER + GOOD.replace("acme", "other") * 3)
    with pytest.raises(SourceError, match="is not the file any more that was read to line 4"):
        send(path, tmp_path / "out")


def test_a_mapping_of_which_nothing_comes_out_is_stopped(tmp_path):
    path = mapping(tmp_path, HEADER + GOOD.replace(",9", ",x") * 2_000)
    with pytest.raises(
        SourceError, match=r"none of the first 1,000 rows could be sent.*line 1001: 'x' is not a number"
    ):
        send(path, tmp_path / "out")
