"""Names as they may stand in a line that others read: whatever somebody calls an account or a user is just a name."""

import unicodedata
from typing import NewType

Name = NewType("Name", str)
"""A name on one line that can neither break nor turn round what stands around it."""

FIRST_STRONG, END = "\u2068", "\u2069"
"""Isolates (Unicode Standard Annex 9): what is between them is laid out by itself, in its own direction."""
TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
LONGEST_IN_SUBJECT, LONGEST_SUBJECT = 40, 150
"""Characters of a name, and of all: the header of a message in Slack has no more."""


def name(text: str) -> Name:
    """A text as a name."""
    return _isolated(_line(text))


def short_name(text: str) -> Name:
    """A text as a name in a subject, where a long one is cut."""
    return _isolated(_cut(_line(text), LONGEST_IN_SUBJECT))


def subject(text: str) -> str:
    """A line as a subject, cut where it is too long even so."""
    cut = _cut(text, LONGEST_SUBJECT - 1)
    return f"{cut}{END}" if cut.count(FIRST_STRONG) > cut.count(END) else cut


def _cut(line: str, longest: int) -> str:
    if len(line) <= longest:
        return line
    end = longest - 1
    while end > 1 and _joined(line, end):
        end -= 1
    return f"{line[:end].rstrip()}…"


def _line(text: str) -> str:
    """One line without anything that is not seen: control characters, and what turns the direction of writing."""
    kept = "".join(" " if one.isspace() else one for one in text if one.isspace() or not _unseen(one))
    return " ".join(kept.split()) or "(no name)"


def _unseen(one: str) -> bool:
    return one in TURNS or unicodedata.category(one) in ("Cc", "Cs")


def _joined(line: str, at: int) -> bool:
    """Whether what begins here belongs to the character before: an accent, a part of an emoji."""
    return unicodedata.combining(line[at]) > 0 or unicodedata.category(line[at]) in ("Mn", "Me", "Cf") \
        or line[at - 1] == "\u200d"  # fmt: skip


def _isolated(line: str) -> Name:
    turned = any(unicodedata.bidirectional(one) in RIGHT_TO_LEFT for one in line)
    return Name(f"{FIRST_STRONG}{line}{END}" if turned else line)
