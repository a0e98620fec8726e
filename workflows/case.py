"""The durable shell of a case: takes commands, waits for one alarm, hands over what happened. No rule lives here.

Handlers are plain functions without an await, so each is atomic; only `run` waits, and it alone runs activities.
A dead database delays the lists, never the case: recording goes on beside commands and alarms, retried for ever.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain import life
    from domain.case import ENDED, Case, Snapshot, Stage
    from domain.errors import RectifyError
    from domain.events import Event
    from domain.lifecycle import RULES
    from domain.record import Record
    from workflows import attributes, outside
    from workflows import interface as i
    from workflows.casefile import details

_T = TypeVar("_T")
_FOR_EVER = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30))
_ONCE = RetryPolicy(maximum_attempts=1)
#: Of a timer for what is due already: a clock that is moved by hand passes over a timer without any.
_AT_ONCE = timedelta(milliseconds=1)
#: Says nothing to a server or a worker that tells no builds apart.
_UNDER_THE_NEW_BUILD = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE


@workflow.defn(name=i.WORKFLOW)
class CaseWorkflow:
    @workflow.init
    def __init__(self, start: i.CaseInput) -> None:
        if start.manners > i.MANNERS:  # no ApplicationError, which would end the case: it waits
            raise RuntimeError(f"a case of a later release: manners {start.manners}, this worker knows {i.MANNERS}")
        self._manners = start.manners
        self._ledger: tuple[i.Handled, ...] = ()
        self._rewrite = False
        if start.carried is not None:
            self._case = start.carried.case
            self._log = list(start.carried.unrecorded)
            self._ledger = start.carried.ledger
            self._rewrite = start.carried.rewrite
        elif start.opening is not None:
            self._case, events = life.open_case(start.opening)
            self._log = list(events)
        else:
            raise ApplicationError("neither an opening nor a carried case", non_retryable=True)
        self._recorded = self._case.version - len(self._log)
        self._stirred = False
        self._rewriting = False
        self._recording: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._armed_for: datetime | None = None
        self._shown = life.snapshot(self._case)
        self._alarm = life.next_alarm(self._case)
        self._judged: tuple[str | None, Case, life.Step] | None = None
        workflow.set_current_details(details(self._shown))
        self._tell(attributes.outgrown(workflow.info().typed_search_attributes, self._manners))

    @workflow.run
    async def run(self, start: i.CaseInput) -> None:  # noqa: ARG002 - `__init__` took it: a command may come before this
        """Ends with the case, and only with it: a cancellation by an operator is not a command and changes nothing."""
        while True:
            self._let_time_pass()
            self._hand_over()
            if self._case.stage in ENDED and self._is_recorded():
                return
            if _should_go_on_anew():
                await workflow.wait_condition(workflow.all_handlers_finished)
                onward = i.CaseInput(manners=i.MANNERS, carried=self._carried())
                workflow.continue_as_new(onward, initial_versioning_behavior=_UNDER_THE_NEW_BUILD)
            self._arm()
            self._stirred = False
            with contextlib.suppress(asyncio.CancelledError):
                await workflow.wait_condition(self._is_woken)

    # --- commands ---

    @workflow.update(dynamic=True)
    def command(self, name: str, args: Sequence[RawValue]) -> i.Receipt:
        """Every command of `domain.lifecycle.TABLE`, by its own name."""
        order = _order(args)
        handled = self._handled()
        if handled is not None:
            return i.Receipt(case=self._shown, digest=handled.digest)
        _guarded(lambda: self._step(self._judgement(name, order)))
        self._remember(order.digest)
        return i.Receipt(case=self._shown, digest=order.digest)

    @command.validator
    def _check(self, name: str, args: Sequence[RawValue]) -> None:
        if self._handled() is None:
            order = _order(args)
            self._judged = _update_id(), self._case, _guarded(lambda: self._given(name, order))

    @workflow.update(name=i.RECALENDAR)
    def recalendar(self, published: i.Publication) -> bool:
        """Whether the new calendar version changed anything."""
        return self._takes(life.recalendar, published.calendar)

    @workflow.update(name=i.RERULE)
    def rerule(self, new: i.NewRules) -> bool:
        """Whether the new policy or ladder changed anything."""
        return self._takes(life.rerule, new.policy, new.ladder)

    @workflow.update(name=i.REPROJECT)
    def reproject(self) -> int:
        """Has this run's events and the case written down again. Returns the version that will then be there."""
        self._rewrite = self._stirred = True
        return self._case.version

    @workflow.update(name=i.LOOK)
    def look(self, what: str) -> None:
        raise AssertionError(f"nothing is told of {what}")  # the validator has refused it

    @look.validator
    def _tell_of(self, what: str) -> None:
        told = self._log if what == i.LOG else self._shown
        raise ApplicationError(what, told, type=i.TOLD, non_retryable=True)

    @workflow.query(name=i.SNAPSHOT)
    def snapshot(self) -> Snapshot:
        return self._shown

    @workflow.query(name=i.LOG)
    def log(self) -> list[Event]:
        return self._log

    def _takes(self, step: Callable[..., life.Step], *what: object) -> bool:
        before = self._case.version
        _guarded(lambda: self._step(step(self._case, *what, workflow.now(), _update_id(), noticed=self._lax)))
        return self._case.version > before

    def _given(self, name: str, order: i.Order) -> life.Step:
        rule = RULES.get(name)
        if rule is None:
            raise ApplicationError(f"no command is called {name}", type="unknown_command", non_retryable=True)
        command = rule.command.model_validate(order.body)
        how: dict[str, Any] = {"calendars": order.calendars, "noticed": self._lax}
        return life.give(self._case, command, order.actor, workflow.now(), _update_id(), **how)

    def _judgement(self, name: str, order: i.Order) -> life.Step:
        """What the validator found of this very state; found anew on replay, where validators do not run."""
        judged, self._judged = self._judged, None
        if judged is not None and judged[0] == _update_id() and judged[1] is self._case:
            return judged[2]
        return self._given(name, order)

    def _step(self, step: life.Step) -> None:
        case, events = step
        if events:
            shown, alarm = life.snapshot(case), life.next_alarm(case)  # if these fail, nothing has happened yet
            self._case, self._alarm = case, alarm
            self._log.extend(events)
            self._stirred = True
            self._show(shown)

    def _show(self, case: Snapshot) -> None:
        self._tell(attributes.changes(self._shown, case, self._manners))
        self._shown = case
        workflow.set_current_details(details(case))

    @staticmethod
    def _tell(updates: attributes.Updates) -> None:
        if updates:
            workflow.upsert_search_attributes(updates)

    def _handled(self) -> i.Handled | None:
        update_id = _update_id()
        return next((handled for handled in self._ledger if handled.update_id == update_id), None)

    def _remember(self, digest: str) -> None:
        line = i.Handled(update_id=_update_id() or "", digest=digest)
        self._ledger = (*self._ledger, line)[-i.LEDGER_SIZE :]

    def _carried(self) -> i.Carried:
        rewrite = self._rewrite or self._rewriting
        unrecorded = tuple(self._log) if rewrite else self._unrecorded()
        return i.Carried(case=self._case, unrecorded=unrecorded, ledger=self._ledger, rewrite=rewrite)

    # --- recording ---

    def _unrecorded(self) -> tuple[Event, ...]:
        return tuple(self._log[len(self._log) - (self._case.version - self._recorded) :])

    def _is_recorded(self) -> bool:
        return self._recorded == self._case.version and not self._rewrite and self._recording is None

    def _hand_over(self) -> None:
        """One record at a time, so that they arrive in order; the next one takes all that gathered meanwhile."""
        if self._recording is not None and self._recording.done():
            self._recording.result()
            self._recording, self._rewriting = None, False
        if self._recording is None and not self._is_recorded():
            self._recording = asyncio.create_task(self._record(self._next_record()))

    def _next_record(self) -> Record:
        rewrite, self._rewrite = self._rewrite, False
        self._rewriting = rewrite
        events = tuple(self._log) if rewrite else self._unrecorded()
        rules = self._case.rules if rewrite or any(_changes_rules(event) for event in events) else None
        return Record(case=self._shown, events=events, rules=rules, rewrite=rewrite)

    async def _record(self, record: Record) -> None:
        try:
            await workflow.execute_local_activity(
                i.RECORD, record, start_to_close_timeout=i.RECORD_AT_ONCE, retry_policy=_ONCE
            )
        except FailureError:  # a timeout comes as an ActivityError, what the recorder raised as it is
            await workflow.execute_activity(
                i.RECORD, record, start_to_close_timeout=i.RECORD_ATTEMPT, retry_policy=_FOR_EVER
            )
        self._recorded = record.case.version

    # --- time ---

    @property
    def _lax(self) -> bool:
        """What time does is dated when it is noticed, not when it fell due."""
        return self._manners < i.PUNCTUAL

    def _let_time_pass(self) -> None:
        until = self._reached()
        if until is not None and self._alarm is not None and self._alarm.at <= until:
            self._step(life.pass_time(self._case, until, noticed=self._lax))

    def _reached(self) -> datetime | None:
        """The instant up to which time is known to have passed, the same in replay; None if nothing has rung.

        A timer tells what it was armed for. `now` does not do: it may be another time in replay than it was.
        """
        if not self._lax:
            return self._armed_for if self._has_rung() else None
        return workflow.now() if self._has_rung() or self._timer is None or self._manners < i.QUIET else None

    def _arm(self) -> None:
        """One timer, armed anew for an earlier alarm, or at closure: else a command mostly comes before it rings."""
        clock = self._clock()
        if self._has_rung():
            self._timer = self._armed_for = None
        alarm = self._alarm
        if alarm is None or (self._armed_for is not None and self._will_do(self._armed_for, alarm.at)):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = alarm.at
        delay = max(alarm.at - clock, _AT_ONCE)
        self._timer = asyncio.create_task(workflow.sleep(delay, summary=alarm.summary))

    def _has_rung(self) -> bool:
        return self._timer is not None and self._timer.done()

    def _clock(self) -> datetime:
        """For a timer's delay alone, which replay does not compare: `now`, or the worker's clock where `now` is wrong.

        A worker that is asked a query before it gets the next task goes through what has happened since with the time
        of the last task: the timer has rung, and `now` is before that. See docs/adr/0023.
        """
        known = (self._armed_for if self._has_rung() else None) or workflow.info().workflow_start_time
        if workflow.now() > known:
            return workflow.now()
        with workflow.unsafe.sandbox_unrestricted():
            return max(known, outside.machine_time())

    def _will_do(self, armed_for: datetime, at: datetime) -> bool:
        patient = self._case.stage is Stage.CLOSURE and self._manners >= i.QUIET
        return armed_for == at if patient else armed_for <= at

    def _is_woken(self) -> bool:
        recorded = self._recording is not None and self._recording.done()
        return self._has_rung() or recorded or self._stirred


def _should_go_on_anew() -> bool:
    """The history is long, or the case is pinned to a build that is no longer the current one: see docs/upgrades.md."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.is_target_worker_deployment_version_changed()


def _order(args: Sequence[RawValue]) -> i.Order:
    order: i.Order = workflow.payload_converter().from_payload(args[0].payload, i.Order)
    return order


def _update_id() -> str | None:
    info = workflow.current_update_info()
    return info.id if info else None


def _guarded(step: Callable[[], _T]) -> _T:
    """Lets nothing but a refusal out: any other exception in a handler would wedge the case."""
    try:
        return step()
    except ApplicationError:
        raise
    except RectifyError as error:
        raise ApplicationError(error.code, i.Refusal.of(error), type=i.REFUSAL, non_retryable=True) from None
    except Exception as error:
        raise ApplicationError(f"internal error: {error!r:.500}", type="internal_error", non_retryable=True) from error


def _changes_rules(event: Event) -> bool:
    fact = event.fact
    return fact.type in {"CaseOpened", "CalendarChanged", "RulesChanged"} or bool(getattr(fact, "calendars", ()))
