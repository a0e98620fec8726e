"""What crosses the border of the case workflow: its name, its messages, and the activities it calls by name.

Shared by the workflow, the worker and whoever starts or updates a case; holds no rule and imports no implementation.
"""

from datetime import timedelta

from domain.actors import Actor
from domain.base import Value
from domain.calendar import Calendar
from domain.case import Case, Snapshot
from domain.commands import Opening
from domain.errors import RectifyError, revive
from domain.events import Event
from domain.policy import Ladder, Policy, UnitCalendar

WORKFLOW = "case"
TASK_QUEUE = "rectify"
#: The activity that writes a `domain.record.Record` down.
RECORD = "record"

#: Updates beside the commands of `domain.lifecycle.TABLE`, whose names are the commands' own.
RECALENDAR = "recalendar"
RERULE = "rerule"
REPROJECT = "reproject"
#: An update that is never carried out: the refusal of its validator tells what was asked for. Not a query, except of a
#: run that has ended: see docs/adr/0024.
LOOK = "look"
#: What can be asked for: the case as it is, and its events of this run.
SNAPSHOT = "snapshot"
LOG = "log"

#: What a run has Temporal do, where releases differ. A run keeps the manners that it began with, for they are in its
#: history; one that continues as new takes the newest. 1, until 0.1: time passes whenever the case wakes.
#: QUIET, 0.2: search attributes only of what seldom changes, a closed case leaves no earlier timer to ring for nothing
#: (docs/adr/0002), and time passes only with a command or the timer. When an activity had ended it used to pass too, at
#: an instant that replay does not find again.
#: PUNCTUAL, since 0.3: when the timer rings, time passes to the instant that it was armed for, not to `now`, which a
#: worker saw lag behind it (docs/adr/0023).
QUIET, PUNCTUAL = 2, 3
MANNERS = PUNCTUAL

#: `ApplicationError.type` of a refusal; its one detail is a `Refusal`. Of an answer to `LOOK`; its one detail is that.
REFUSAL = "rectify.refusal"
TOLD = "rectify.told"

#: One try inside the workflow task, so that a reader sees his own write; then an ordinary activity, for ever.
RECORD_AT_ONCE = timedelta(seconds=2)
RECORD_ATTEMPT = timedelta(seconds=10)

#: How many handled update ids a case remembers across continue-as-new; the server forgets them there.
LEDGER_SIZE = 200


class Order(Value):
    """A command on its way: who, what, and a digest of both, to notice a key used for something else.

    `calendars`: what the directory adds to a dispatch.
    """

    actor: Actor
    body: dict[str, object]
    digest: str
    calendars: tuple[UnitCalendar, ...] = ()


class Receipt(Value):
    """The case after the command. `digest` is that of the order that was carried out under this update id."""

    case: Snapshot
    digest: str


class Handled(Value):
    """A line of the ledger."""

    update_id: str
    digest: str


class Carried(Value):
    """What a case takes along when it continues as new. With `rewrite`, `unrecorded` is all that is to be rewritten."""

    schema_version: int = 1
    case: Case
    unrecorded: tuple[Event, ...] = ()
    ledger: tuple[Handled, ...] = ()
    rewrite: bool = False


class CaseInput(Value):
    """A report that opens a case, or a case that goes on in a new run: exactly one of the two."""

    manners: int = 1
    opening: Opening | None = None
    carried: Carried | None = None


class Publication(Value):
    calendar: Calendar


class NewRules(Value):
    policy: Policy
    ladder: Ladder


class Refusal(Value):
    """A `RectifyError` as data."""

    status: int
    code: str
    params: dict[str, object]

    @classmethod
    def of(cls, error: RectifyError) -> "Refusal":
        return cls(status=error.status, code=error.code, params=dict(error.params))

    def revived(self) -> RectifyError:
        return revive(self.status, self.code, self.params)
