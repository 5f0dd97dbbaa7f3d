"""From where on a check's effect means something: one table, with the reason of each.

No check asks whether data is exactly as a model says; with rows enough nothing is. Each asks whether the effect is
beyond its edge by more than chance explains (a minimum-effect test: Murphy and Myors 1999). `above`: alarm if the
effect is larger than the edge; `below`: what people show is missing, if it is smaller.
"""

from typing import Literal, NamedTuple


class Threshold(NamedTuple):
    """least: units of `unit` below which a check says that it has not examined. instrumentation: an alarm means that
    recording is broken, so the check runs live, too."""

    effect: str
    side: Literal["above", "below"]
    edge: float
    least: int
    unit: str
    instrumentation: bool
    reason: str


THRESHOLDS: dict[str, Threshold] = {
    "second_of_minute": Threshold(
        "unevenness of the 60 seconds (Cohen's w)", "above", 0.3, 200, "events", True,
        "an extra 4 % of the events on one second; a job that runs on the minute beside people makes less",
    ),
    "sub_second": Threshold(
        "unevenness of the ten tenths of a second (Cohen's w)", "above", 0.2, 60, "events", True,
        "an extra 6 % of the events in one tenth; nothing that people do keeps to a tenth of a second",
    ),
    "duplicates": Threshold(
        "share of rows that repeat another", "above", 0.01, 100, "events", True,
        "double clicks and redelivery repeat a few rows in a thousand",
    ),
    "volume_break": Threshold(
        "doublings between a day and its weekday's usual number of events", "above", 3.0, 28, "days", True,
        "an eighth of, or eight times, what four weeks show as usual: seasons and campaigns stay within that",
    ),
    "even_volume": Threshold(
        "variance over mean of events a day", "below", 0.7, 14, "days", False,
        "independent people make at least 1, weekdays more; less is a quota a day",
    ),
    "hours": Threshold(
        "unevenness of the 24 hours (w²)", "below", 0.1, 200, "events", False,
        "people sleep: in the sets of one country it is .56 and 1.13; .1 still allows for several continents",
    ),
    "weekdays": Threshold(
        "unevenness of the seven weekdays (w²)", "below", 0.01, 1000, "events", False,
        "where it is used at work it is .19 and .24; .01 still allows for products that are used on weekends as well",
    ),
    "gap_spread": Threshold(
        "Greenwood's statistic of gaps within people, 1 for exponential ones", "below", 1.2, 200, "gaps", False,
        "people act in bursts (Barabási 2005): of 207 experts' arrivals it is 4.5",
    ),
    "gap_grid": Threshold(
        "share of gaps on a grid beyond chance", "above", 0.1, 200, "gaps", False,
        "a heartbeat or a meeting on the hour makes some; a tenth of all gaps is a schedule",
    ),
    "equal_gaps": Threshold(
        "share of gaps that equal the one before", "above", 0.05, 200, "gaps", False,
        "people do not repeat a gap to the second; to the minute 1 % of experts' gaps do so by chance",
    ),
    "same_time_of_day": Threshold(
        "share of people who begin their days within two minutes of the same time", "above", 0.02, 50, "people", False,
        "scheduled jobs among the accounts: one in fifty",
    ),
    "copied_people": Threshold(
        "share of people whose times are another's", "above", 0.01, 50, "people", False,
        "two logins of one person, or of a tool beside its owner: one in a hundred",
    ),
    "exact_split": Threshold(
        "distance from the planned split, in standard deviations of a coin's", "below", 0.1, 100, "people", False,
        "a coin comes so close 8 times in 100: with other checks beside it, only a large cohort can raise the alarm",
    ),
    "quota": Threshold(
        "farthest excursion from the planned share along the order, in standard deviations", "below", 0.5, 100,
        "people", False, "a coin stays so close once in 100 times; quotas and permuted blocks always do",
    ),
    "impossible_orders": Threshold(
        "share of people with an impossible order", "above", 0.005, 100, "people", False,
        "of 7,685 learners .07 % handed in a later task on an earlier day; clocks of two systems differ by seconds",
    ),
    "before_joining": Threshold(
        "share of people with something before they joined", "above", 0.01, 100, "people", False,
        "accounts are moved and merged, and results are carried over: one in a hundred",
    ),
    "tails": Threshold(
        "L-skewness (without its sign) plus L-kurtosis, .12 for normal, .5 for exponential", "below", 0.2, 100,
        "values", False,
        "durations and counts of people are skewed or have outliers (Limpert et al. 2001): .26 and more",
    ),
    "dispersion": Threshold(
        "variance of counts a person over that of a Poisson distribution", "below", 1.5, 100, "people", False,
        "people differ in how much they use anything: 27 and more in the sets looked at",
    ),
    "own_pace": Threshold(
        "rank correlation of a person's speed at one task and the next", "below", 0.1, 100, "people", False,
        "who is quick once is quick again: .5 from one submission of 8,393 learners to the next",
    ),
    "terminal_digits": Threshold(
        "unevenness of the last digit of counts and durations (Cohen's w)", "above", 0.2, 100, "values", False,
        "an extra 6 % on one digit (Mosimann et al. 1995); of 12,516 players' rounds it is .03",
    ),
    "off_scale": Threshold(
        "share of values outside their scale", "above", 0.005, 100, "values", False,
        "two of 3,145 answers on a scale to 10 were an 11",
    ),
    "contradictions": Threshold(
        "share of people about whom tables disagree", "above", 0.005, 100, "people", False,
        "exports of several systems are not of the same second: a few in a thousand",
    ),
}  # fmt: skip
