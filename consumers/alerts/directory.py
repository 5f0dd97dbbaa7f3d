"""Whose account an account is: scores tell it, signals do not."""

from typing import Any, NamedTuple

from consumers.alerts.board import Board
from models.alerts.evidence import Score, decode_score
from models.messages import encode


class Who(NamedTuple):
    """traits: name, owner, segment and page of an account, as far as they are told. left_out: nobody is to be alerted
    to it: it is held out, or what the score is the chance of has happened."""

    traits: dict[str, Any]
    left_out: bool

    @property
    def owner(self) -> str | None:
        return Score("", "", 0.0, "", "", traits=self.traits).trait("owner")


NOBODY = Who({}, left_out=False)


class Directory:
    """Accounts as their last score told; of others Redis is asked."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._known: dict[str, tuple[dict[str, Any], bool]] = {}
        """Account -> what `Who` says of it, which is made of the few that are asked for."""

    def take(self, score: Score) -> None:
        """Keep what a score tells of its account."""
        self._known[score.account_id] = score.traits, score.held_out or score.event_has_come

    def who(self, account_id: str) -> Who:
        found = self._known.get(account_id)
        if found is None:
            message = self._board.account(account_id)
            if message is None:
                return NOBODY
            self.take(decode_score(encode(message)))
            found = self._known[account_id]
        return Who(*found)

    def forget(self, account_id: str) -> None:
        self._known.pop(account_id, None)
