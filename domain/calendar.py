"""When a city works: weekly tables by season, exceptions by date, and up to when those are official.

Knows wall clocks only; elapsed time, daylight saving included, is `domain/working_time.py`'s business.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from domain.base import Value

MIDNIGHT = time(0)


class Period(Value):
    """Working time within one day, in minutes of the wall clock.

    An end of 00:00 is the midnight that ends the day, 24:00. Written `08:00-12:00`, in JSON too: a calendar
    travels in every case's history.
    """

    start: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever it was given
        if not isinstance(data, str):
            return data
        start, dash, end = data.replace("–", "-").partition("-")
        if not dash:
            raise ValueError(f"{data!r} is not a period such as 08:00-12:00")
        return {"start": start.strip(), "end": "00:00" if end.strip() == "24:00" else end.strip()}

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if any(t.second or t.microsecond or t.tzinfo for t in (self.start, self.end)):
            raise ValueError(f"{self}: hours and minutes only")
        if self.end != MIDNIGHT and self.start >= self.end:
            raise ValueError(f"{self}: the start must come before the end")
        return self

    @model_serializer
    def __str__(self) -> str:
        end = "24:00" if self.end == MIDNIGHT else f"{self.end:%H:%M}"
        return f"{self.start:%H:%M}-{end}"


def _apart(day: tuple[Period, ...]) -> tuple[Period, ...]:
    for first, second in pairwise(day):
        if first.end == MIDNIGHT or second.start < first.end:
            raise ValueError(f"periods overlap or are out of order: {first}, {second}")
    return day


Day = Annotated[tuple[Period, ...], AfterValidator(_apart)]


class Season(Value):
    """The weekly table, Monday first, in force from `from_` (MM-DD) until the next season, round the year."""

    from_: str = Field(default="01-01", pattern=r"^\d\d-\d\d$")
    weekdays: tuple[Day, Day, Day, Day, Day, Day, Day]

    @field_validator("from_")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        date.fromisoformat(f"2024-{value}")  # a leap year: 02-29 may begin a season
        return value

    @model_validator(mode="after")
    def _works_at_all(self) -> "Season":
        if not any(self.weekdays):
            raise ValueError(f"the season from {self.from_} has no working time")
        return self

    @property
    def plain_workday(self) -> Day:
        """The table a make-up workday follows: that of the first weekday which has one."""
        return next(day for day in self.weekdays if day)


class Calendar(Value):
    """Zone, weekly tables, exceptions. Past `official_through` these are not yet published: provisional."""

    id: str
    version: int = 1
    zone: str
    seasons: tuple[Season, ...] = Field(min_length=1)
    holidays: tuple[date, ...] = ()
    make_up_workdays: tuple[date, ...] = ()
    official_through: date

    def __hash__(self) -> int:
        # Cheap on purpose: every computation in working_time looks its calendar up. Equality is complete.
        return hash((self.id, self.version, self.zone, len(self.holidays), self.holidays[:1]))

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {value!r}; use an IANA name such as Asia/Shanghai") from None
        return value

    @field_validator("seasons")
    @classmethod
    def _by_date(cls, value: tuple[Season, ...]) -> tuple[Season, ...]:
        if len({season.from_ for season in value}) < len(value):
            raise ValueError("two seasons begin on the same day")
        return tuple(sorted(value, key=lambda season: season.from_))

    @field_validator("holidays", "make_up_workdays")
    @classmethod
    def _sorted_once(cls, value: tuple[date, ...]) -> tuple[date, ...]:
        return tuple(sorted(set(value)))

    @field_validator("make_up_workdays")
    @classmethod
    def _not_both(cls, value: tuple[date, ...], info: ValidationInfo) -> tuple[date, ...]:
        both = set(value) & set(info.data.get("holidays", ()))
        if both:
            raise ValueError(f"{min(both)} is listed as a holiday and as a make-up workday")
        return value

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def season(self, day: date) -> Season:
        """The latest season that has begun; before the year's first one, last year's last."""
        month_day = f"{day:%m-%d}"
        begun = [season for season in self.seasons if season.from_ <= month_day]
        return (begun or self.seasons)[-1]

    def periods(self, day: date) -> tuple[Period, ...]:
        if _listed(self.holidays, day):
            return ()
        return self.regular(day, make_up=_listed(self.make_up_workdays, day))

    def regular(self, day: date, *, make_up: bool = False) -> tuple[Period, ...]:
        """What the weekly rule alone says of the day."""
        season = self.season(day)
        return season.plain_workday if make_up else season.weekdays[day.weekday()]

    def is_working_day(self, day: date) -> bool:
        return bool(self.periods(day))

    def since(self, first: date) -> "Calendar":
        """The same calendar without the exceptions before `first`."""
        return self.model_copy(
            update={
                "holidays": _from(first, self.holidays),
                "make_up_workdays": _from(first, self.make_up_workdays),
            }
        )


def _listed(days: tuple[date, ...], day: date) -> bool:
    i = bisect_left(days, day)
    return i < len(days) and days[i] == day


def _from(first: date, days: Iterable[date]) -> tuple[date, ...]:
    return tuple(day for day in days if day >= first)
