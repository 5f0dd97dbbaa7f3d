"""The events of the contract as typed values, one struct a type, decoded from raw bytes in one step.

The structs *are* the contract: JSON Schema and AsyncAPI are generated from them (`livelift schema`), and
`docs/` never repeats them by hand. Unknown extra fields are dropped while decoding, free text has no field to go to.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.clock import LAST_INSTANT, SECOND, from_seconds, micros

At = Annotated[datetime, Meta(tz=True)] | float
CalendarDate = Annotated[datetime, Meta(tz=True)] | Annotated[float, Meta(ge=0, le=LAST_INSTANT // SECOND)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
EventId = Annotated[str, Meta(min_length=1, max_length=128)]
Amount = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""In millionths it still fits 64 bits."""
Count = Annotated[int, Meta(ge=0, le=10**9)]
Trait = Annotated[str, Meta(max_length=256)] | bool | Amount
Source = Literal["CS", "OTHER"]


def instant(at: datetime | float) -> int:
    """Event time in microseconds, whichever of the two forms the producer chose."""
    return micros(at) if isinstance(at, datetime) else from_seconds(at)


class Event(Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """What every event carries: which event, when it happened, whose account, and which person if one acted."""

    id: EventId
    at: At
    account_id: Name
    user_id: Name | None = None


class Personal(Event, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """An event that needs a person: without one it is refused as `required_missing`."""


class Tick(Struct, frozen=True, gc=False, tag_field="type", tag="tick"):
    """Everything up to `at` has been sent on this partition: the in-band event clock."""

    at: At


class TaskOf(Struct, frozen=True, gc=False):
    task: Name


class Trial(Struct, frozen=True, gc=False):
    plan: Name | None = None
    seats: Count | None = None


class Session(Struct, frozen=True, gc=False):
    country: Name | None = None
    duration_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class Trouble(Struct, frozen=True, gc=False):
    task: Name | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None


class Action(Struct, frozen=True, gc=False):
    feature: Name
    count: Count = 1
    automated: bool = False


class Setting(Struct, frozen=True, gc=False):
    feature: Name
    setting: Name | None = None


class Member(Struct, frozen=True, gc=False):
    role: Literal["champion", "admin", "member"] | None = None


class Assignment(Struct, frozen=True, gc=False):
    experiment: Name
    arm: Name


class Exposure(Struct, frozen=True, gc=False):
    experiment: Name


class Engagement(Struct, frozen=True, gc=False):
    source: Source
    channel: Name | None = None
    article: Name | None = None
    minutes: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    task: Name | None = None


class Ticket(Struct, frozen=True, gc=False):
    ticket: Name
    area: Name | None = None
    severity: Name | Count | None = None


class Lesson(Struct, frozen=True, gc=False):
    lesson: Name
    delivered_by: Literal["vendor", "customer"] | None = None


class Check(Struct, frozen=True, gc=False):
    concept: Name
    correct: bool


class NpsAnswer(Struct, frozen=True, gc=False, tag_field="survey", tag="nps"):
    score: Annotated[int, Meta(ge=0, le=10)]
    about: Literal["product", "training", "support"] | None = None


class CsatAnswer(Struct, frozen=True, gc=False, tag_field="survey", tag="csat"):
    score: Annotated[int, Meta(ge=1, le=5)]
    about: Literal["product", "training", "support"] | None = None


class Contact(Struct, frozen=True, gc=False):
    reason: Name | None = None
    sentiment: Literal[-1, 0, 1] | None = None
    outcome: Name | None = None


class Subscription(Struct, frozen=True, gc=False):
    plan: Name | None = None
    mrr: Amount | None = None
    renews_at: CalendarDate | None = None


class Leaving(Struct, frozen=True, gc=False):
    reason: Name | None = None


class Payment(Struct, frozen=True, gc=False):
    amount: Amount | None = None


class Outcome(Struct, frozen=True, gc=False):
    name: Name
    value: Amount


NO_TRIAL, NO_SESSION, NO_TROUBLE, NO_MEMBER = Trial(), Session(), Trouble(), Member()
NO_CONTACT, NO_SUBSCRIPTION, NO_LEAVING, NO_PAYMENT = Contact(), Subscription(), Leaving(), Payment()


class TrialStarted(Event, frozen=True, kw_only=True, gc=False, tag="trial_started"):
    properties: Trial = NO_TRIAL


class SessionStarted(Personal, frozen=True, kw_only=True, gc=False, tag="session_started"):
    properties: Session = NO_SESSION


class TaskStarted(Personal, frozen=True, kw_only=True, gc=False, tag="task_started"):
    properties: TaskOf


class TaskCompleted(Personal, frozen=True, kw_only=True, gc=False, tag="task_completed"):
    properties: TaskOf


class TaskFailed(Personal, frozen=True, kw_only=True, gc=False, tag="task_failed"):
    properties: TaskOf


class HelpNeeded(Personal, frozen=True, kw_only=True, gc=False, tag="help_needed"):
    """The product judged that this user is unlikely to manage alone; sent alike in every arm."""

    properties: Trouble = NO_TROUBLE


class CoreAction(Event, frozen=True, kw_only=True, gc=False, tag="core_action"):
    properties: Action


class UsageReported(Event, frozen=True, kw_only=True, gc=False, tag="usage_reported"):
    """Amounts used since the last report, by name; `automated` is the one reserved name."""

    properties: dict[Name, Amount | bool]


class FeatureConfigured(Event, frozen=True, kw_only=True, gc=False, tag="feature_configured"):
    properties: Setting


class MemberAdded(Personal, frozen=True, kw_only=True, gc=False, tag="member_added"):
    properties: Member = NO_MEMBER


class MemberRemoved(Personal, frozen=True, kw_only=True, gc=False, tag="member_removed"):
    properties: Member = NO_MEMBER


class TraitsSet(Event, frozen=True, kw_only=True, gc=False, tag="traits_set"):
    properties: dict[Name, Trait]


class ExperimentAssigned(Event, frozen=True, kw_only=True, gc=False, tag="experiment_assigned"):
    properties: Assignment


class ExperimentExposed(Event, frozen=True, kw_only=True, gc=False, tag="experiment_exposed"):
    properties: Exposure


class HelpEngaged(Personal, frozen=True, kw_only=True, gc=False, tag="help_engaged"):
    properties: Engagement


class TicketOpened(Event, frozen=True, kw_only=True, gc=False, tag="ticket_opened"):
    properties: Ticket


class TicketClosed(Event, frozen=True, kw_only=True, gc=False, tag="ticket_closed"):
    properties: Ticket


class LessonStarted(Personal, frozen=True, kw_only=True, gc=False, tag="lesson_started"):
    properties: Lesson


class LessonCompleted(Personal, frozen=True, kw_only=True, gc=False, tag="lesson_completed"):
    properties: Lesson


class ConceptChecked(Personal, frozen=True, kw_only=True, gc=False, tag="concept_checked"):
    properties: Check


class SurveyAnswered(Personal, frozen=True, kw_only=True, gc=False, tag="survey_answered"):
    properties: NpsAnswer | CsatAnswer


class CsContacted(Event, frozen=True, kw_only=True, gc=False, tag="cs_contacted"):
    properties: Contact = NO_CONTACT


class Converted(Event, frozen=True, kw_only=True, gc=False, tag="converted"):
    properties: Subscription = NO_SUBSCRIPTION


class Renewed(Event, frozen=True, kw_only=True, gc=False, tag="renewed"):
    properties: Subscription = NO_SUBSCRIPTION


class MrrChanged(Event, frozen=True, kw_only=True, gc=False, tag="mrr_changed"):
    properties: Subscription = NO_SUBSCRIPTION


class TrialLapsed(Event, frozen=True, kw_only=True, gc=False, tag="trial_lapsed"):
    properties: Leaving = NO_LEAVING


class Churned(Event, frozen=True, kw_only=True, gc=False, tag="churned"):
    properties: Leaving = NO_LEAVING


class PaymentFailed(Event, frozen=True, kw_only=True, gc=False, tag="payment_failed"):
    properties: Payment = NO_PAYMENT


class PaymentSucceeded(Event, frozen=True, kw_only=True, gc=False, tag="payment_succeeded"):
    properties: Payment = NO_PAYMENT


class OutcomeObserved(Event, frozen=True, kw_only=True, gc=False, tag="outcome_observed"):
    properties: Outcome


class Forget(Event, frozen=True, kw_only=True, gc=False, tag="forget"):
    """Our own control message (`livelift forget`): remove what is kept of this user or account, and keep it out."""


PRODUCT = (
    TrialStarted, SessionStarted, TaskStarted, TaskCompleted, TaskFailed, HelpNeeded, CoreAction, UsageReported,
    FeatureConfigured, MemberAdded, MemberRemoved, TraitsSet, ExperimentAssigned, ExperimentExposed, Forget,
)  # fmt: skip
HELP = (
    HelpEngaged, TicketOpened, TicketClosed, LessonStarted, LessonCompleted, ConceptChecked, SurveyAnswered,
    CsContacted,
)  # fmt: skip
CONVERSION = (
    Converted, Renewed, MrrChanged, TrialLapsed, Churned, PaymentFailed, PaymentSucceeded, OutcomeObserved,
)  # fmt: skip

BY_TOPIC: tuple[tuple[type[Event], ...], ...] = (PRODUCT, HELP, CONVERSION)
"""The event types of each source topic, in the order of `SOURCES`."""
SOURCES = ("product-events", "help-events", "conversion-events")
"""The three source topics; a topic's position here is its index in rows and batches."""
MESSAGE_LIMIT = 1_048_576
"""Largest record of a source topic in bytes."""
HOME: dict[str, int] = {
    str(kind.__struct_config__.tag): topic for topic, kinds in enumerate(BY_TOPIC) for kind in kinds
}
"""Which topic (by index) an event type belongs on."""
