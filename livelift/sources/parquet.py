"""Parquet, a thousand rows at a time; whole row groups are passed over where reading goes on behind them."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from livelift.sources.files import Files
from livelift.sources.mapping import Parquet
from livelift.sources.row import Broken, Place, Row, SourceError, Tell

BATCH = 1_000


class ParquetRows(Files):
    """Only the columns that the mapping names are read."""

    def __init__(self, source: Parquet, folder: Path, used: Collection[str], tell: Tell) -> None:
        super().__init__(folder, source.path, tell)
        self.used = used
        self._row = 0

    def where(self) -> dict[str, Any]:
        return {"row": self._row}

    def read(self, path: Path, place: Place | None) -> Iterator[Row | Broken]:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        self._row = done = place["row"] if place else 0
        try:
            with ParquetFile(path, pre_buffer=False) as file:
                there = file.schema_arrow.names
                columns = [
                    name for name in there if name in self.used or name in {one.split(".")[0] for one in self.used}
                ]
                for name in sorted({one if one in there else one.split(".")[0] for one in self.used} - set(there)):
                    raise SourceError(f"{path}: no column {name!r}; there are {', '.join(there[:20])}")
                first = 0
                for group in range(file.metadata.num_row_groups):
                    count = file.metadata.row_group(group).num_rows
                    if first + count > done:
                        yield from self._group(path, file, group, columns, done - first)
                    first += count
        except (ArrowException, OSError) as error:
            raise SourceError(f"{path}: no Parquet that can be read: {error}") from error

    def _group(self, path: Path, file: Any, group: int, columns: list[str], skip: int) -> Iterator[Row]:
        for batch in file.iter_batches(BATCH, row_groups=[group], columns=columns, use_threads=False):
            rows = batch.slice(max(skip, 0)).to_pylist() if skip < batch.num_rows else []
            skip -= batch.num_rows
            for values in rows:
                self._row += 1
                yield Row(path.name, self._row, values)
