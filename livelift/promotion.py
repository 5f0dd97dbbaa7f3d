"""The models in `health-models`, beside each other, and who of them scores. Promoting is a person's decision.

A promotion counts from a day on that has not been closed yet, so every scorer changes over with the same day.
"""

from typing import Any, NamedTuple

from livelift.sent import TIMEOUT, sent
from models.clock import date_of, rfc3339
from models.health.champion import why_heuristic
from models.health.learning import Learning
from models.health.proposal import Proposal, proposal
from models.health.records import CHAMPION_KEY, Promotion, champion_on, kept
from models.health.told import contenders
from models.rows import NEVER
from streams.compacted import Compacted
from streams.config import Surroundings

REPLICATES = 1000


class ModelError(ValueError):
    """A model cannot be promoted; the message says why, and what to do."""


class Promoted(NamedTuple):
    """What holds, and whether it is new."""

    promotion: Promotion
    new: bool


class Models:
    """Every model as the topic has it now."""

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        topic = Compacted(here.confluent, here.topic("health-models"))
        try:
            self.learning = Learning(here.product, topic.catch_up())
        finally:
            topic.close()

    @property
    def next_day(self) -> int | None:
        """The first day that no partition has closed, as far as the learner has heard; None before any."""
        closed = self.learning.heard_of
        return None if closed == NEVER else closed + 1

    def listed(self) -> dict[str, Any]:
        """Each model: its role, its last version, the labels it has learned from, and why it does not score yet."""
        found = {}
        champion, day = self.learning.champion, self.next_day
        scores = None if day is None else champion_on(self.learning.promotions, day, self.here.product.health.model)
        for kind, one in self.learning.contenders.items():
            version = one.latest
            found[kind] = {
                "role": "champion" if one is champion else "challenger",
                "scores_now": kind == scores and version is not None and version.enough,
                "version": None if version is None else version.name,
                "learned": None if one.learned == NEVER else date_of(one.learned),
                "labels": {
                    "with_event": 0 if version is None else version.events,
                    "without": 0 if version is None else version.others,
                },
                "because": why_heuristic(version),
            }
        return {"models": found, "promotions": [self.told(one) for one in self.learning.promotions]}

    def compared(self, replicates: int = REPLICATES) -> dict[str, Any]:
        """Each model and the activity index beside the champion; of challengers also whether they are proposed."""
        found = contenders(self.learning, replicates)
        for one in found.values():
            if one["role"] == "challenger":
                one["proposal"] = proposal(one)._asdict()
        return found

    def evidence(self, model: str, replicates: int = REPLICATES) -> Proposal:
        """Why a model should be promoted, or not. ModelError if it cannot be."""
        self._may_score(model)
        return proposal(contenders(self.learning, replicates)[model])

    def promote(self, model: str, by: str, at: int, day: int | None = None) -> Promoted:
        """Let a model score from a day on (default: the next that closes). ModelError if it cannot."""
        self._may_score(model)
        first = self.next_day
        if first is None:
            raise ModelError("no day has been closed yet: nothing has been learned, and nothing scores")
        since = first if day is None else day
        if since < first:
            raise ModelError(f"{date_of(since)} has been closed: the first day is {date_of(first)}")
        held = self.learning.promotions
        if self.learning.champion.kind == model and all(one.day <= since for one in held):
            last = max(held, key=lambda one: (one.day, one.at), default=Promotion(model, NEVER, "livelift.toml", ""))
            return Promoted(last, new=False)
        promotion = Promotion(model, since, by, rfc3339(at))
        self._write((*held, promotion))
        return Promoted(promotion, new=True)

    def _may_score(self, model: str) -> None:
        one = self.learning.contenders.get(model)
        if one is None:
            there = ", ".join(self.learning.contenders)
            raise ModelError(
                f"no model {model!r} is learned here; there are {there}. "
                f'Name it under [health] challengers in livelift.toml (challengers = ["{model}"]) and start the learner'
            )
        because = why_heuristic(one.latest)
        if because is not None:
            raise ModelError(f"{model} cannot score yet: {because}")

    def _write(self, promotions: tuple[Promotion, ...]) -> None:
        if not sent(self.here, [kept(CHAMPION_KEY, promotions)]):
            raise ModelError(f"Kafka did not take the promotion in {TIMEOUT:g} s")
        self.learning.promotions = promotions

    @staticmethod
    def told(promotion: Promotion) -> dict[str, Any]:
        """A promotion as people read it."""
        since = None if promotion.day == NEVER else date_of(promotion.day)
        return {"model": promotion.model, "from": since, "by": promotion.by, "at": promotion.at}
