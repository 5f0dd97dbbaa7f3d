"""Whether a header has every column that a mapping names, and each of them once."""

from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from livelift.sources.row import SourceError, Tell


def check_columns(
    header: str, columns: Sequence[str], used: Collection[str], tell: Tell, places: Sequence[str], word: str = "fields"
) -> None:
    """SourceError for a header by which the mapping cannot be read; tells of what only may be a mistake.

    header: where it stands. used: the columns that the mapping names. places: what each column is called besides.
    """
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    roots = {name if name in columns else name.split(".")[0] for name in used}
    for name in doubled:
        there = [place for place, column in zip(places, columns, strict=True) if column == name]
        said = f"{header}: the column {name!r} is there {len(there)} times ({word} {', '.join(there)})"
        if name in roots:
            raise SourceError(f"{said}: name all columns in the mapping, columns = [...]")
        tell(f"{said}; the last one counts, the mapping does not use it")
    for name in sorted(roots - set(columns)):
        close = get_close_matches(name, columns, n=1, cutoff=0.6)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        raise SourceError(f"{header}: no column {name!r}{meant}; there are {', '.join(columns[:20])}")
