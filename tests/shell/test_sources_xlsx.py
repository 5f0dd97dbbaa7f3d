"""Spreadsheets as a source: what people do to them, and where in them something is wrong."""

import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from xlsxwriter import Workbook

from livelift.sources.row import SourceError
from livelift.sources.xlsx import letters_of
from tests.support.sources import events, outcomes, refusals, send, write, written

pytestmark = pytest.mark.shell
AT = datetime(2026, 5, 5, 10, 30)
HEAD = ["Account", "Who", "Answered", "Score"]
ROWS = [["acme", "ann", AT, 9], ["acme", "bob", AT, 7.0], ["birch", "eve", AT, 11]]
ANSWERED = """
[[event]]
type = "survey_answered"
at = "{Answered}"
account_id = "{Account}"
user_id = "{Who}"
properties = { survey = "nps", score = { from = "{Score}", as = "integer" } }
"""
MOMENT = "yyyy-mm-dd hh:mm:ss.000"


def book(folder, sheets, name="answers.xlsx", epoch_1904=False, merged=()):
    """A workbook of sheets by name, each a list of rows; None is an empty cell."""
    with Workbook(str(folder / name), {"date_1904": epoch_1904}) as made:
        formats = {kind: made.add_format({"num_format": text}) for kind, text in
                   ((datetime, MOMENT), (date, "dd.mm.yyyy"), (time, "hh:mm"), (timedelta, "[h]:mm"))}  # fmt: skip
        for title, rows in sheets.items():
            sheet = made.add_worksheet(title)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, datetime | date | time | timedelta):
                        sheet.write_datetime(row, column, cell, formats[type(cell)])
                    elif cell is not None:
                        sheet.write(row, column, cell)
            for area, value in merged:
                sheet.merge_range(area, value)
    return folder / name


def mapped(folder, event=ANSWERED, source="", name="answers"):
    text = f'[source]\nkind = "xlsx"\nname = "{name}"\npath = "answers.xlsx"\nzone = "Europe/Berlin"\n{source}\n{event}'
    return write(folder, "answers.toml", text)


def scores(found):
    return [(event["user_id"], event["at"], event["properties"]["score"]) for event in events(found)]


def test_answers_and_what_is_refused_by_file_sheet_and_row(tmp_path):
    book(tmp_path, {"Answers": [HEAD, *ROWS]})
    found = outcomes(mapped(tmp_path))
    assert scores(found) == [("ann", "2026-05-05T08:30:00Z", 9), ("bob", "2026-05-05T08:30:00Z", 7)]
    (refused,) = refusals(found)
    assert refused.startswith("answers.xlsx [Answers] row 4: out_of_range")


def test_rows_are_counted_as_excel_does_and_empty_ones_are_left_out(tmp_path):
    book(tmp_path, {"Answers": [[], ["", *HEAD], [], ["", *ROWS[0]], [None, None], ["", *ROWS[2]]]})
    found = outcomes(mapped(tmp_path))
    assert len(found) == 2 and scores(found)[0][0] == "ann"
    assert refusals(found)[0].startswith("answers.xlsx [Answers] row 6:")


def test_what_stands_above_the_header_is_left_out(tmp_path):
    book(tmp_path, {"Answers": [["Answers of May"], [], HEAD, ROWS[0]]})
    with pytest.raises(SourceError, match=r"answers.xlsx \[Answers\] row 1: no column 'Account'"):
        outcomes(mapped(tmp_path))
    assert len(scores(outcomes(mapped(tmp_path, source="first_row = 3")))) == 1
    assert len(scores(outcomes(mapped(tmp_path, source="first_row = 2")))) == 1, (
        "from there on, the first with something"
    )
    with pytest.raises(SourceError, match=r"row 9: no column 'Account'"):
        outcomes(mapped(tmp_path, source="first_row = 9"))


# -- which sheet ---------------------------------------------------------------------------------------------------------


def test_of_several_sheets_one_has_to_be_named(tmp_path):
    book(tmp_path, {"Answers": [HEAD, ROWS[0]], "Old ones": [HEAD, ROWS[1]]})
    with pytest.raises(SourceError, match=r"name its `sheet` in the mapping; there are 'Answers', 'Old ones'"):
        outcomes(mapped(tmp_path))
    assert scores(outcomes(mapped(tmp_path, source='sheet = "Old ones"')))[0][0] == "bob"
    with pytest.raises(SourceError, match=r"no sheet 'old'; there are 'Answers', 'Old ones'"):
        outcomes(mapped(tmp_path, source='sheet = "old"'))


def test_hidden_sheets_are_read_only_by_their_name(tmp_path):
    with Workbook(str(tmp_path / "answers.xlsx")) as made:
        form = made.add_format({"num_format": MOMENT})
        for title, (account, who, at, score) in (("Shown", ROWS[0]), ("Lists", ROWS[1])):
            sheet = made.add_worksheet(title)
            sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, [account, who])
            sheet.write_datetime(1, 2, at, form)
            sheet.write(1, 3, score)
        sheet.hide()
    assert scores(outcomes(mapped(tmp_path)))[0][0] == "ann"
    assert scores(outcomes(mapped(tmp_path, source='sheet = "Lists"')))[0][0] == "bob"


def test_an_empty_sheet_is_said_to_be(tmp_path):
    book(tmp_path, {"Answers": []})
    with pytest.raises(SourceError, match=r"answers.xlsx \[Answers\]: empty"):
        outcomes(mapped(tmp_path))


# -- headers -------------------------------------------------------------------------------------------------------------


def test_a_column_that_is_there_twice_is_refused_where_it_is_used(tmp_path):
    book(tmp_path, {"Answers": [[*HEAD, "Score"], [*ROWS[0], 3]]})
    with pytest.raises(SourceError, match=r"row 1: the column 'Score' is there 2 times \(columns D, E\)"):
        outcomes(mapped(tmp_path))
    named = 'columns = ["Account", "Who", "Answered", "Score", "Second"]'
    assert scores(outcomes(mapped(tmp_path, source=named)))[0][2] == 9
    told = []
    book(tmp_path, {"Answers": [[*HEAD, "Note", "Note"], [*ROWS[0], "x", "y"]]})
    assert len(outcomes(mapped(tmp_path), told=told)) == 1
    assert "the mapping does not use it" in told[0] and "columns E, F" in told[0]


def test_a_column_without_a_name_is_called_by_its_letters(tmp_path):
    book(tmp_path, {"Answers": [["", "Account", None, "Answered", "Score"], ["", "acme", "ann", AT, 9]]})
    found = outcomes(mapped(tmp_path, ANSWERED.replace("{Who}", "{C}")))
    assert scores(found) == [("ann", "2026-05-05T08:30:00Z", 9)]
    assert [letters_of(column) for column in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


def test_without_a_header_columns_are_letters_or_as_they_are_named(tmp_path):
    book(tmp_path, {"Answers": ROWS})
    by_letter = ANSWERED
    for name, letter in zip(HEAD, "ABCD", strict=True):
        by_letter = by_letter.replace(f"{{{name}}}", f"{{{letter}}}")
    assert len(scores(outcomes(mapped(tmp_path, by_letter, "header = false")))) == 2
    named = f"header = false\ncolumns = {HEAD}".replace("'", '"')
    assert len(scores(outcomes(mapped(tmp_path, source=named)))) == 2
    with pytest.raises(SourceError, match="2 columns are named, the sheet has 4"):
        outcomes(mapped(tmp_path, source='header = false\ncolumns = ["a", "b"]'))


def test_what_is_merged_holds_for_all_that_it_covers(tmp_path):
    rows = [HEAD, ["", "ann", AT, 9], ["", "bob", AT, 7], ["birch", "eve", AT, 8]]
    book(tmp_path, {"Answers": rows}, merged=[("A2:A3", "acme")])
    found = events(outcomes(mapped(tmp_path)))
    assert [event["account_id"] for event in found] == ["acme", "acme", "birch"]
    head = [["", "", "Answered", "Score"], *rows[1:]]
    book(tmp_path, {"Answers": head}, merged=[("A1:B1", "Account")])
    with pytest.raises(SourceError, match=r"'Account' is there 2 times \(columns A, B\)"):
        outcomes(mapped(tmp_path))


# -- values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_dates_and_times_are_what_excel_shows_by_either_epoch(tmp_path, epoch_1904):
    rows = [
        ["Account", "Who", "Answered", "Score"],
        ["acme", "whole", datetime(2026, 5, 5, 10, 30, 0, 123000), 1],
        ["acme", "day", date(2026, 5, 5), 2],
        ["acme", "text", "2026-05-05T08:30:00Z", 3],
        ["acme", "twice", datetime(2025, 10, 26, 2, 30), 4],
        ["acme", "never", datetime(2026, 3, 29, 2, 30), 5],
        ["acme", "clock", time(10, 30), 6],
    ]
    book(tmp_path, {"Answers": rows}, epoch_1904=epoch_1904)
    found = outcomes(mapped(tmp_path))
    assert scores(found) == [
        ("whole", "2026-05-05T08:30:00.123000Z", 1), ("day", "2026-05-04T22:00:00Z", 2), ("text", "2026-05-05T08:30:00Z", 3),
    ]  # fmt: skip
    twice, never, clock = refusals(found)
    assert "row 5" in twice and "comes twice" in twice and "does not exist" in never and "row 7" in clock


def test_a_day_and_a_time_in_columns_of_their_own(tmp_path):
    book(tmp_path, {"Answers": [["Account", "Who", "Day", "Time", "Score"], ["acme", "ann", AT.date(), AT.time(), 9]]})
    found = outcomes(mapped(tmp_path, ANSWERED.replace("{Answered}", "{Day}T{Time}")))
    assert scores(found) == [("ann", "2026-05-05T08:30:00Z", 9)]


def test_a_day_that_is_only_a_number_needs_the_format(tmp_path):
    serial = (AT - datetime(1899, 12, 30)) / timedelta(days=1)
    book(tmp_path, {"Answers": [HEAD, ["acme", "ann", serial, 9]]})
    (refused,) = refusals(outcomes(mapped(tmp_path)))
    assert "row 2: implausible_time" in refused
    by_format = ANSWERED.replace('"{Answered}"', '{ from = "{Answered}", format = "excel" }')
    assert scores(outcomes(mapped(tmp_path, by_format))) == [("ann", "2026-05-05T08:30:00Z", 9)]


def test_numbers_texts_and_durations_keep_their_meaning(tmp_path):
    rows = [["Account", "Who", "Answered", "Score"], [1001, "0042", AT, "9"], ["acme", 7.5, AT, 8], ["acme", True, AT, " 7 "],
            ["acme", "long", AT, timedelta(hours=36)], ["acme", "half", AT, 6.5], ["acme", "comma", AT, "5,0"]]  # fmt: skip
    book(tmp_path, {"Answers": rows})
    found = outcomes(mapped(tmp_path, source='decimal = ","'))
    assert [(e["account_id"], e["user_id"], e["properties"]["score"]) for e in events(found)] == [
        ("1001", "0042", 9), ("acme", "7.5", 8), ("acme", "true", 7), ("acme", "comma", 5),
    ]  # fmt: skip
    days, half = refusals(found)
    assert "row 5" in days and "1.5 is not a whole number" in days and "6.5 is not a whole number" in half


def test_a_formula_counts_by_its_value_and_an_error_is_empty(tmp_path):
    with Workbook(str(tmp_path / "answers.xlsx")) as made:
        sheet = made.add_worksheet("Answers")
        sheet.write_row(0, 0, HEAD)
        for row, (formula, value) in enumerate([("=4+5", 9), ("=1/0", "#DIV/0!")], start=1):
            sheet.write_row(row, 0, ["acme", "ann", "2026-05-05T08:30:00Z"])
            sheet.write_formula(row, 3, formula, None, value)
    found = outcomes(mapped(tmp_path))
    assert [event["properties"]["score"] for event in events(found)] == [9]
    assert "row 3: required_missing" in refusals(found)[0]


# -- going on ------------------------------------------------------------------------------------------------------------


def test_rows_that_were_added_are_sent_and_nothing_twice(tmp_path):
    book(tmp_path, {"Answers": [HEAD, *ROWS[:1]]})
    path, out = mapped(tmp_path), tmp_path / "out"
    send(path, out)
    send(path, out)
    book(tmp_path, {"Answers": [[*HEAD, "Note"], *ROWS[:2], ["fir", "joe", AT, 5, "a column that is new"]]})
    send(path, out)
    assert [event["user_id"] for event in written(out)] == ["ann", "bob", "joe"]


@pytest.mark.parametrize("rows", [[ROWS[1], ROWS[0], *ROWS[2:]], [ROWS[0]], [["acme", "ann", AT, 8], *ROWS[1:]]],
                         ids=["sorted", "shorter", "corrected"])  # fmt: skip
def test_rows_that_were_read_have_to_stay_what_they_were(tmp_path, rows):
    book(tmp_path, {"Answers": [HEAD, *ROWS]})
    path, out = mapped(tmp_path), tmp_path / "out"
    send(path, out)
    book(tmp_path, {"Answers": [HEAD, *rows]})
    for _ in range(2):
        with pytest.raises(SourceError, match=r"not the file any more that was read to row 4: .* --again"):
            send(path, out)
    send(path, out, again=True)


# -- what is no spreadsheet ----------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_named(tmp_path):
    path = mapped(tmp_path)
    write(tmp_path, "answers.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(SourceError, match=r"answers.xlsx: no .xlsx that can be read \(is it protected by a password"):
        outcomes(path)
    with zipfile.ZipFile(tmp_path / "answers.xlsx", "w") as archive:
        archive.writestr("letter.txt", "hello")
    with pytest.raises(SourceError, match=r"answers.xlsx: no .xlsx that can be read"):
        outcomes(path)


def test_a_cell_far_off_is_named_before_it_takes_all_memory(tmp_path):
    with Workbook(str(tmp_path / "answers.xlsx")) as made:
        sheet = made.add_worksheet("Answers")
        sheet.write(0, 0, "Account")
        sheet.write(1_048_575, 16_383, " ")
    with pytest.raises(SourceError, match=r"\[Answers\]: 17,179,869,184 cells from A1 to XFD1048576: remove"):
        outcomes(mapped(tmp_path))
