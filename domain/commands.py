"""What somebody may ask of a case, in the imperative. Each class is also the body of its API call.

Who may give a command, and when, is in `domain/lifecycle.py`; nothing here decides anything.
"""

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from domain.actors import Actor
from domain.base import Value
from domain.case import Location, Reported
from domain.policy import SharedRules
from domain.text import Name, Note, Reason, Sha256

Photos = Annotated[tuple[Sha256, ...], Field(max_length=20)]


class Command(Value):
    """`name` is the last part of the API route and the name of the workflow's update."""

    name: ClassVar[str]


class SelfHandling(Value):
    """Put right on the spot 自行处置: the officer's own proof, before (the opening's photos) and after."""

    note: Note
    evidence: Photos = ()


class Opening(Reported):
    """Everything a case starts from: the report, who made it, the rules it will be judged by. The workflow's input."""

    id: str
    actor: Actor
    opened_at: AwareDatetime
    self_handled: SelfHandling | None = None
    rules: SharedRules
    command_id: str | None = None


class Verify(Command):
    name = "verify"
    note: Note | None = None


class Dismiss(Command):
    name = "dismiss"
    reason: Reason


class Assign(Command):
    name = "assign"
    unit: Name
    co_units: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    reason: Reason | None = None


class Accept(Command):
    name = "accept"


class Return(Command):
    name = "return"
    reason: Reason
    suggested_unit: Name | None = None


class SubmitRectification(Command):
    """`milestone`: reports that part of a staged limit as done (1 is the first) and nothing more."""

    name = "submit"
    note: Note
    evidence: Photos = ()
    ahead_because: Reason | None = Field(
        default=None, description="Why the lead does not wait for co-units, where policy lets it go ahead."
    )
    milestone: Annotated[int, Field(ge=1, le=20)] | None = None


class SubmitPlan(Command):
    """For works whose plan 方案 has to be approved first."""

    name = "submit-plan"
    text: Note
    evidence: Photos = ()


class DecidePlan(Command):
    name = "decide-plan"
    grant: bool
    reason: Reason


class Join(Command):
    """Somebody else has found the same: the case gets another reporter, and nothing is opened.

    `on_behalf_of`: those who found it, by login, where a dispatcher or supervisor says so for them.
    """

    name = "join"
    description: Note
    evidence: Photos = ()
    location: Location | None = None
    on_behalf_of: Annotated[tuple[Name, ...], Field(max_length=200)] = ()


class RequestExtension(Command):
    name = "request-extension"
    reason: Reason


class DecideExtension(Command):
    name = "decide-extension"
    grant: bool
    reason: Reason


class Suspend(Command):
    """`until`: an instant, or a date (then the start of that day in the case's calendar)."""

    name = "suspend"
    reason: Reason
    until: AwareDatetime | date


class Resume(Command):
    name = "resume"


class Inspect(Command):
    name = "inspect"
    result: Literal["pass", "fail", "unable"]
    note: Note
    evidence: Photos = ()


class Urge(Command):
    name = "urge"
    note: Note


class Supervise(Command):
    name = "supervise"
    requirement: Note
    due: AwareDatetime | None = None


class Withdraw(Command):
    name = "withdraw"
    reason: Reason


class ForceClose(Command):
    name = "force-close"
    reason: Reason


class Rate(Command):
    name = "rate"
    score: Annotated[int, Field(ge=1, le=5)]
    comment: Note | None = None


class FileAppeal(Command):
    name = "appeal"
    reason: Reason
    evidence: Photos = ()


class DecideAppeal(Command):
    name = "decide-appeal"
    grant: bool
    reason: Reason


class Reopen(Command):
    name = "reopen"
    reason: Reason


class Comment(Command):
    name = "comment"
    text: Note
    evidence: Photos = ()


#: How far `discovered_at` may lie ahead of the server's clock: phones are rarely exact.
CLOCK_SKEW = timedelta(minutes=5)
