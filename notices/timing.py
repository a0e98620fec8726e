"""When a notice may be sent, and when a receiver is tried again. Pure: the present comes as an argument."""

from datetime import datetime, timedelta

from domain.calendar import Calendar
from domain.limits import LimitUnit
from domain.policy import RungAction, Severity
from domain.working_time import next_working
from store.notices import Fresh, Timing

#: The longest rest is shorter than the quarter of an hour over which deploy/alerts.yaml counts refusals.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)
#: Limits that are called urgent run through the night, and so does what is told of them. A natural day is not urgent.
_URGENT_LIMITS = frozenset({LimitUnit.URGENT_HOUR.value, LimitUnit.URGENT_DAY.value})


def timing(fresh: Fresh, calendar: Calendar | None, now: datetime) -> Timing:
    """Urgent ones at once, others in working time. Without a calendar the city is taken to work round the clock.

    When it happened does not matter: what fell due on a working day and is caught up at night waits for the morning,
    and has its whole day of tries from then on.
    """
    if urgent(fresh) or calendar is None:
        return Timing(urgent(fresh), now)
    return Timing(urgent=False, not_before=next_working(calendar, now))


def urgent(fresh: Fresh) -> bool:
    return (
        fresh.severity == Severity.URGENT.value
        or fresh.limit_unit in _URGENT_LIMITS
        or fresh.action == RungAction.SUMMON.value
    )


def rest(failures: int, chance: float) -> timedelta:
    """How long a receiver is left alone after so many refusals in a row: 5 s, doubled up to 10 min.

    Give or take a fifth: `chance` lies between 0 and 1. All of a channel's notices wait together: a robot that is
    called too often shuts its caller out for longer.
    """
    doublings = min(failures - 1, 16)
    return min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT) * (0.8 + 0.4 * chance)
