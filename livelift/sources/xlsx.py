"""Spreadsheets (.xlsx): one sheet's rows, with the types that its cells have. calamine holds the sheet in memory."""

import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

from livelift.sources.columns import check_columns
from livelift.sources.files import Files, changed
from livelift.sources.mapping import Xlsx
from livelift.sources.row import Place, Row, SourceError, Tell

MOST_CELLS = 50_000_000
"""calamine makes room for every cell from the first to the last, and ends the process where there is none."""
BEGINNING = 64 * 1024
DIMENSION = re.compile(rb'<dimension ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
EXACT = 2**53
Cells = list[Any]


class Seen(NamedTuple):
    """How far a sheet was read, and a hash of the rows up to there."""

    row: int
    hash: str

    def then(self, number: int, cells: Cells) -> "Seen":
        """With one row more."""
        told = repr((self.hash, number, _without_end(cells)))
        return Seen(number, blake2b(told.encode(), digest_size=8).hexdigest())


class XlsxRows(Files):
    """Rows by the columns of the header. `used`: the columns that the mapping names.

    A place knows the rows before it by a hash: a sheet that was sorted or corrected since is noticed.
    """

    def __init__(self, source: Xlsx, folder: Path, used: Collection[str], tell: Tell) -> None:
        super().__init__(folder, source.path, tell)
        self.source, self.used = source, used
        self._seen = Seen(0, "")

    def where(self) -> dict[str, Any]:
        return {"row": self._seen.row}

    def began(self, path: Path) -> str:
        return self._seen.hash

    def check(self, path: Path, place: Place) -> None:
        """Not before it is read."""

    def read(self, path: Path, place: Place | None) -> Iterator[Row]:
        self._seen = Seen(place["row"], place["began"]) if place else Seen(0, "")
        sheet = self._opened(path)
        rows = self._filled(sheet)
        columns = self._columns(f"{path} [{sheet.name}]", rows, sheet)
        check_passed(path, rows, self._seen)
        for number, cells in rows:
            self._seen = self._seen.then(number, cells)
            yield Row(f"{path.name} [{sheet.name}]", number, dict(zip(columns, cells, strict=True)))

    def _opened(self, path: Path) -> Any:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            with CalamineWorkbook.from_path(path) as book:
                name = self._sheet(path, book)
                check_extent(path, name)
                return book.get_sheet_by_name(name)
        except (CalamineError, BadZipFile, KeyError, ElementTree.ParseError, OSError) as error:
            raise SourceError(f"{path}: no .xlsx that can be read (is it protected by a password?): {error}") from error

    def _sheet(self, path: Path, book: Any) -> str:
        """The mapping's sheet, or the only one that is not hidden."""
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        sheets = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        names = [one.name for one in sheets]
        shown = [one.name for one in sheets if one.visible == SheetVisibleEnum.Visible]
        there = f"there are {', '.join(map(repr, names))}"
        if self.source.sheet is None and len(shown) != 1:
            raise SourceError(f"{path}: name its `sheet` in the mapping; {there}")
        if self.source.sheet is not None and self.source.sheet not in names:
            raise SourceError(f"{path}: no sheet {self.source.sheet!r}; {there}")
        return self.source.sheet or shown[0]

    def _filled(self, sheet: Any) -> Iterator[tuple[int, Cells]]:
        """(row as Excel counts, cells) of every row that is not empty. What is merged holds for all that it covers."""
        merged = merged_by_row(sheet)
        held: dict[int, tuple[int, Any]] = {}  # column -> the last row for which the value holds
        for index, found in enumerate(sheet.iter_rows()):
            cells = [_plain(cell) for cell in found]
            for columns, bottom in merged.get(index, ()):
                held |= dict.fromkeys(columns, (bottom, cells[columns[0]]))
            for column, (bottom, value) in held.items():
                if index <= bottom:
                    cells[column] = value
            if any(cell != "" for cell in cells) and index + 1 >= self.source.first_row:
                yield index + 1, cells

    def _columns(self, where: str, rows: Iterator[tuple[int, Cells]], sheet: Any) -> list[str]:
        """The names of the columns; SourceError, with the row, where no row could be read by them."""
        left, width = sheet.start[1] if sheet.start else 0, sheet.width
        letters = [letters_of(left + column) for column in range(width)]
        if not width:
            raise SourceError(f"{where}: empty")
        if not self.source.header:
            number, names = self.source.first_row, list(self.source.columns) or letters
        else:
            number, cells = next(rows, (self.source.first_row, letters))
            found = ["" if cell == "" else str(cell).strip() for cell in cells]
            names = list(self.source.columns) or [name or letter for name, letter in zip(found, letters, strict=False)]
        if len(names) != width:
            raise SourceError(f"{where} row {number}: {len(names)} columns are named, the sheet has {width}")
        check_columns(f"{where} row {number}", names, self.used, self.tell, letters, "columns")
        return names


def check_passed(path: Path, rows: Iterator[tuple[int, Cells]], before: Seen) -> None:
    """Passes over the rows that were read before; SourceError where they are not the same any more."""
    seen = Seen(0, "")
    while seen.row < before.row and (found := next(rows, None)) is not None:
        seen = seen.then(*found)
    if seen != before:
        raise changed(path, f"row {before.row}")


def merged_by_row(sheet: Any) -> dict[int, list[tuple[range, int]]]:
    """By its first row, each area of merged cells: its columns from the sheet's first on, and its last row."""
    left, width = sheet.start[1] if sheet.start else 0, sheet.width
    found: dict[int, list[tuple[range, int]]] = {}
    for (top, first), (bottom, last) in sheet.merged_cell_ranges or ():
        columns = range(max(first - left, 0), min(last - left + 1, width))
        if columns and first >= left:
            found.setdefault(top, []).append((columns, bottom))
    return found


def _plain(cell: Any) -> Any:
    """Whole numbers as such (Excel knows none), durations as days (as Excel counts)."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return int(cell)
    return cell / timedelta(days=1) if isinstance(cell, timedelta) else cell


def _without_end(cells: Cells) -> Cells:
    """Without what is empty at the end: it comes and goes with what stands in other rows."""
    length = next((index for index in range(len(cells), 0, -1) if cells[index - 1] != ""), 0)
    return cells[:length]


def letters_of(column: int) -> str:
    """A for 0, AA for 26."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def check_extent(path: Path, sheet: str) -> None:
    """SourceError for a sheet whose first and last cell are too far apart to be held, by what it says of itself."""
    with ZipFile(path) as parts:
        book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
        targets = {one.get("Id"): one.get("Target", "") for one in relations}
        target = targets[{one.get("name"): one.get(RELATION) for one in book.iter(f"{MAIN}sheet")}[sheet]]
        with parts.open(target.lstrip("/") if target.startswith("/") else f"xl/{target}") as part:
            found = DIMENSION.search(part.read(BEGINNING))
    if found is None:
        return
    first, top, last, bottom = (one.decode() for one in found.groups())
    cells = (_number_of(last) - _number_of(first) + 1) * (int(bottom) - int(top) + 1)
    if cells > MOST_CELLS:
        raise SourceError(
            f"{path} [{sheet}]: {cells:,} cells from {first}{top} to {last}{bottom}: "
            "remove what stands far off, or export it as CSV"
        )


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
