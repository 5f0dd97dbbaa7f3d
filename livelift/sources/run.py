"""Sending a source: row by row, resumed where it stopped, and counted so that nothing is missing."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from livelift.sources.counts import Counts
from livelift.sources.identities import Identity, Out
from livelift.sources.mapping import Mapping
from livelift.sources.row import SourceError, Tell
from livelift.sources.shape import Made, whose
from livelift.sources.state import State, StateFile
from livelift.sources.stream import Outcome, Stream

CHECKPOINT_ROWS = 5_000
CHECKPOINT_S = 5.0
LOOK_EVERY = 200
HOPELESS = 1_000
"""So many rows, all of them refused: it is the mapping that is wrong."""
Refusal = Callable[[Outcome], None]


class Sending:
    """One source to one destination. `refused` is told every row that was refused."""

    def __init__(self, stream: Stream, out: Out, file: StateFile, refused: Refusal, tell: Tell) -> None:
        self.stream, self.out, self.file, self.refused, self.tell = stream, out, file, refused, tell
        self.state = file.read()
        self.new_rows = 0

    @property
    def counts(self) -> Counts:
        return self.state.counts

    def run(self, progress: Callable[[int], None] | None = None, again: bool = False) -> Counts:
        """Send everything there is now. Whatever ends it, the next run goes on and sends nothing twice."""
        if again:
            self.state = State()
        self._take_up()
        last = monotonic()
        try:
            for outcome in self.stream.outcomes(self.state.place):
                self._take(outcome)
                if self.new_rows % LOOK_EVERY == 0:
                    if progress is not None:
                        progress(self.stream.reader.done())
                    if self.new_rows % CHECKPOINT_ROWS == 0 or monotonic() - last > CHECKPOINT_S:
                        self._checkpoint()
                        last = monotonic()
            if self.counts.unresolved or self.out.known:
                self.counts.linked += self.out.resolve()
        except SourceError:  # raised between two rows; anything else may come within one, and then the state stays
            self._checkpoint(at_rest=True)
            raise
        self._checkpoint(at_rest=True)
        if progress is not None:
            progress(self.stream.reader.done())
        return self.counts

    def _take_up(self) -> None:
        state, now = self.state, fingerprint(self.stream.mapping)
        if state.place is not None and state.mapping != now:
            self.tell(f"{self.stream.mapping.name}: the mapping has changed; {state.counts.rows:,} rows stay as sent")
        self.out.begin(state.out, state.at_rest)
        # From here on something may be sent behind the state: should this run die, the next one has to look.
        self.state = msgspec.structs.replace(state, out=self.out.position() if state.at_rest else state.out,
                                             at_rest=False, mapping=now)  # fmt: skip
        self.file.write(self.state)

    def _take(self, outcome: Outcome) -> None:
        waits = False
        for made in outcome.made:
            waits |= self._deliver(made)
        self.counts.add(outcome, waits)
        self.new_rows += 1
        if outcome.made:
            self.state.closed = False
        if outcome.reason is not None:
            self.refused(outcome)
            if self.counts.rows == sum(self.counts.refused.values()) == HOPELESS:
                raise SourceError(
                    f"{self.stream.mapping.name}: none of the first {HOPELESS:,} rows could be sent; the last one, "
                    f"{outcome.where}: {outcome.detail}; try the mapping with `livelift sources check`"
                )

    def _deliver(self, made: Made) -> bool:
        """Send an event, or keep it until its alias is known; whether it waits."""
        if made.account is None:
            identity = self.out.known.get(made.alias or "")
            if identity is None:
                self.out.hold(made)
                return True
            value = whose(made.value, identity.account_id, identity.user_id)
            self.out.send(made, value, identity.account_id)
        else:
            self.out.send(made, made.value, made.account)
            for alias in made.links:
                self._link(alias, made.account, made.user)
        self.counts.note(made)
        return False

    def _link(self, alias: str, account: str, user: str | None) -> None:
        held = self.out.known.get(alias)
        if held is None:
            self.out.link(alias, Identity(account, user))
        elif not held.same(account, user):
            self.tell(f"{self.stream.mapping.name}: an alias is somebody else's from now on (account {account})")
            self.out.link(alias, Identity(account, user, held.sent))

    def _checkpoint(self, at_rest: bool = False) -> None:
        """Note how far everything is, once the destination has it."""
        self.out.flush()
        self.state.place, self.state.out = self.stream.reader.place(), self.out.position()
        self.state.at_rest = at_rest
        self.file.write(self.state)


def fingerprint(mapping: Mapping) -> str:
    """A hash of what the mapping says, wherever it lies."""
    return blake2b(msgspec.json.encode(msgspec.structs.replace(mapping, folder="")), digest_size=8).hexdigest()


def state_file(folder: Path, name: str) -> StateFile:
    return StateFile(folder / f"{name}.json")


def shown(name: str, sending: Sending) -> dict[str, Any]:
    """A source's count for programs: of all its rows, and how many of them this run has read."""
    return {"source": name, **sending.counts.shown(), "new_rows": sending.new_rows, "linked": sending.counts.linked}
