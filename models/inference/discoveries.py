"""The queue of experiments: how much evidence the next one needs, so that few of the effects announced are none.

e-LOND (Xu and Ramdas 2024, "Online multiple testing with e-values", AISTATS): the experiment at place t of the queue is
rejected ("there is an effect") when its e-value reaches 1/level, level = alpha·gamma_t·(rejections + 1), where the
gammas sum to 1. The false discovery rate stays at or below alpha however the experiments depend on each other.

A level is fixed when the experiment is registered, with the rejections made until then; experiments overlap, so that
others may be rejected before this one is. The rate still holds. If experiment t is rejected, then R, the rejections in
the end, is at least (rejections at its registration) + 1, since it was not among those. So its false rejection adds to
FDR = E[Σ 1{t rejected}/R] at most E[level_t·E_t/R] <= alpha·gamma_t·E[E_t] <= alpha·gamma_t (1{x >= 1} <= x), and the
gammas sum to 1. A rejection is kept ("latched") from the moment when the *current* e-value reaches 1/level, a stopping
time, at which an e-process still has expectation at most 1, given what was known at registration. The largest e-value
so far has no such bound, nor has 1/p of a p value: neither may be used here.
"""


def gamma(place: int) -> float:
    """The part of alpha that place 1, 2, ... of the queue gets: 1/(t(t+1)), which sums to 1 (it telescopes).

    Half of alpha goes to the first experiment, 1e-4 of it to the hundredth; without knowing how long the queue gets,
    anything that falls more slowly than 1/t cannot sum to 1.
    """
    return 1 / (place * (place + 1))


def level(alpha: float, place: int, rejections: int) -> float:
    """The level of the experiment at this place (from 1), registered after so many rejections.

    place: in order of registration; an experiment that is stopped or withdrawn keeps its place. Raises ValueError where
    place and rejections contradict each other.
    """
    if place < 1 or not 0 <= rejections < place:
        raise ValueError(f"place {place} of a queue cannot come after {rejections} rejections")
    return alpha * gamma(place) * (rejections + 1)


def rejects(e_value: float, level: float) -> bool:
    """Whether the current e-value is enough at this level; an unknown one (NaN) never is."""
    return bool(e_value * level >= 1)
