"""Where calendars come from: the official Chinese one, a file, or the part of either that a case carries.

A calendar file is TOML (or the JSON of the model):

    id = "yanan"
    version = 3
    zone = "Asia/Shanghai"
    official_through = 2026-12-31
    holidays = ["2026-10-01..2026-10-07", 2026-01-01]      # dates, and ranges as text
    make_up_workdays = [2026-09-20, 2026-10-10]

    [[seasons]]
    from = "05-01"                                         # left out: the whole year
    [seasons.weekdays]                                     # mon tue wed thu fri sat sun, or a range
    mon-fri = ["08:00-12:00", "14:30-18:30"]               # 24:00 may end a day

    [[seasons]]
    from = "10-01"
    [seasons.weekdays]
    mon-fri = ["08:00-12:00", "14:00-18:00"]
    sat = ["09:00-12:00"]

A table `[weekdays]` at the top stands for a single season that lasts the whole year.
"""

import json
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.calendar import Calendar, Season
from domain.working_time import local_day

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TOP_KEYS = {
    "id",
    "version",
    "zone",
    "official_through",
    "holidays",
    "make_up_workdays",
    "seasons",
    "weekdays",
}
#: How long before its opening a case may look back (its discovery lies before, its clocks do not).
_LOOK_BACK = timedelta(days=45)
_DAY = timedelta(days=1)
_LONGEST_HOLIDAY = timedelta(days=366)
_LAST_WEEK = 25
_EXCEPTIONS = ("holidays", "make_up_workdays")


@cache
def default_calendar() -> Calendar:
    """Monday to Friday 08:00-12:00 and 14:00-18:00, and the State Council's holidays and make-up days."""
    from chinese_calendar.constants import holidays, workdays

    weekly = _season({"weekdays": {"mon-fri": ["08:00-12:00", "14:00-18:00"]}})
    return Calendar(
        id="cn-default",
        zone="Asia/Shanghai",
        seasons=(weekly,),
        holidays=tuple(day for day in holidays if weekly.weekdays[day.weekday()]),
        make_up_workdays=tuple(day for day in workdays if not weekly.weekdays[day.weekday()]),
        official_through=date(max(holidays).year, 12, 31),
    )


def snapshot(calendar: Calendar, opened_at: datetime) -> Calendar:
    """The calendar without the exceptions that a case opened then cannot meet.

    Cut at the first of a month, so that the cases of a month carry equal calendars and share what is computed
    from them.
    """
    return calendar.since((local_day(calendar, opened_at) - _LOOK_BACK).replace(day=1))


def parse_calendar(text: str) -> Calendar:
    """From TOML as above, or JSON. ValueError with one line that names the key at fault."""
    if not text.lstrip().startswith("{"):
        return read_calendar(_toml(text))
    try:
        return Calendar.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(_first_complaint(error)) from None


def read_calendar(table: Mapping[str, Any]) -> Calendar:
    """From what such a file holds. ValueError as above."""
    return _validated(lambda: _model_data(table))


def _validated(data: Callable[[], Mapping[str, Any]]) -> Calendar:
    """What makes the data may find a season that is none."""
    try:
        return Calendar.model_validate(data())
    except ValidationError as error:
        raise ValueError(_first_complaint(error)) from None


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"not a TOML file: {error}") from None


# --- official years ---


class Year(NamedTuple):
    """What a notice of the State Council says of a year; it may begin in the last days of the year before."""

    year: int
    holidays: tuple[date, ...]
    make_up_workdays: tuple[date, ...]


def official_year(year: int) -> Year:
    """As the installed package `chinesecalendar` knows it. LookupError if it does not."""
    from chinese_calendar.constants import holidays, workdays

    first, last = _bounds(year)
    if year not in {day.year for day in holidays}:
        known = max(holidays).year
        raise LookupError(f"chinesecalendar knows the official holidays up to {known}, not {year}; name a file")
    days = (tuple(day for day in known if first <= day <= last) for known in (holidays, workdays))
    return Year(year, *days)


def parse_year(text: str, year: int) -> Year:
    """From TOML with `holidays` and `make_up_workdays` as in a calendar's file. ValueError as for `parse_calendar`."""
    return read_year(_toml(text), year)


def read_year(table: Mapping[str, Any], year: int) -> Year:
    _only(table, set(_EXCEPTIONS), f"the year {year}")
    if not table.get("holidays"):
        raise ValueError(f"holidays: those of {year} are missing")
    return Year(year, *(_dates(key, table.get(key, [])) for key in _EXCEPTIONS))


def make_official(calendar: Calendar, notice: Year) -> Calendar:
    """The calendar's next version, with this year's exceptions in place of those it had, and official through its end.

    An official year may be told anew. ValueError for one that leaves a gap, or for days that are not of this year.
    """
    following = calendar.official_through.year + 1
    if notice.year > following:
        raise ValueError(f"year: {following} is not official yet, and comes before {notice.year}")
    first, last = _bounds(notice.year)
    for key in _EXCEPTIONS:
        for day in getattr(notice, key):
            if not first <= day <= last:
                raise ValueError(f"{key}: {day} does not belong to {notice.year}")
    week = {day: bool(calendar.regular(day)) for key in _EXCEPTIONS for day in getattr(notice, key)}
    changes = {
        "version": calendar.version + 1,
        "holidays": _instead(calendar.holidays, notice, (day for day in notice.holidays if week[day])),
        "make_up_workdays": _instead(
            calendar.make_up_workdays, notice, (day for day in notice.make_up_workdays if not week[day])
        ),
        "official_through": max(calendar.official_through, last),
    }
    return _validated(lambda: {**calendar.model_dump(), **changes})


def _bounds(year: int) -> tuple[date, date]:
    """New Year's holiday may begin, or be worked for, in the old year's last week."""
    return date(year - 1, 12, _LAST_WEEK), date(year, 12, 31)


def _instead(days: Collection[date], notice: Year, told: Iterable[date]) -> tuple[date, ...]:
    return tuple(sorted({*(day for day in days if day.year != notice.year), *told}))


def calendar_table(calendar: Calendar) -> dict[str, Any]:
    """What `read_calendar` reads back to an equal calendar."""
    facts = calendar.model_dump(include={"id", "version", "zone", "official_through"})
    exceptions = {key: list(getattr(calendar, key)) for key in _EXCEPTIONS}
    seasons = [
        {
            "from": season.from_,
            "weekdays": {
                name: list(map(str, day)) for name, day in zip(_WEEKDAYS, season.weekdays, strict=True) if day
            },
        }
        for season in calendar.seasons
    ]
    return {**facts, **exceptions, "seasons": seasons}


def dump_calendar(calendar: Calendar) -> str:
    """TOML that `parse_calendar` reads back to an equal calendar."""
    lines = [
        f"id = {_quoted(calendar.id)}",
        f"version = {calendar.version}",
        f'zone = "{calendar.zone}"',
        f"official_through = {calendar.official_through}",
        f"holidays = [{', '.join(map(str, calendar.holidays))}]",
        f"make_up_workdays = [{', '.join(map(str, calendar.make_up_workdays))}]",
    ]
    for season in calendar.seasons:
        lines += ["", "[[seasons]]", f'from = "{season.from_}"', "[seasons.weekdays]", *_dump_week(season)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """JSON's escapes are TOML's too; only DEL is one character that needs none there."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _dump_week(season: Season) -> Iterator[str]:
    for name, day in zip(_WEEKDAYS, season.weekdays, strict=True):
        if day:
            periods = ", ".join(f'"{period}"' for period in day)
            yield f"{name} = [{periods}]"


def _model_data(table: Mapping[str, Any]) -> dict[str, Any]:
    _only(table, _TOP_KEYS, "calendar")
    if ("weekdays" in table) == ("seasons" in table):
        raise ValueError("weekdays: give either [weekdays] or [[seasons]]")
    seasons = table.get("seasons", [{"weekdays": table.get("weekdays")}])
    if not isinstance(seasons, list):
        raise ValueError("seasons: write [[seasons]], with two brackets")  # noqa: TRY004 - bad input, not a bug
    dates = {key: _dates(key, table.get(key, [])) for key in _EXCEPTIONS}
    plain = {key: table[key] for key in ("id", "version", "zone", "official_through") if key in table}
    return {**plain, **dates, "seasons": tuple(_season(season) for season in seasons)}


def _season(table: object) -> Season:
    if not isinstance(table, Mapping):
        raise ValueError("seasons: write [[seasons]], with two brackets")  # noqa: TRY004 - likewise
    _only(table, {"from", "weekdays"}, "seasons")
    week: list[Any] = [()] * 7
    weekdays = table.get("weekdays")
    if not isinstance(weekdays, Mapping):
        raise ValueError('weekdays: a table is missing, such as mon-fri = ["08:00-12:00"]')  # noqa: TRY004 - likewise
    for key, periods in weekdays.items():
        for index in _weekday_range(key):
            week[index] = periods
    return Season.model_validate({"from_": table.get("from", "01-01"), "weekdays": week})


def _weekday_range(key: str) -> range:
    first, _, last = key.partition("-")
    try:
        return range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1)
    except ValueError:
        raise ValueError(f"weekdays.{key}: use {' '.join(_WEEKDAYS)}, or a range such as mon-fri") from None


def _dates(key: str, entries: object) -> tuple[date, ...]:
    if not isinstance(entries, list):
        raise ValueError(f"{key}: a list of dates is expected")  # noqa: TRY004 - bad input, not a bug
    return tuple(day for entry in entries for day in _date_range(key, entry))


def _date_range(key: str, entry: object) -> Iterator[date]:
    first_text, _, last_text = str(entry).partition("..")
    try:
        first = date.fromisoformat(first_text.strip())
        last = date.fromisoformat((last_text or first_text).strip())
    except ValueError:
        raise ValueError(f"{key}: {entry} is neither a date nor a range 2026-10-01..2026-10-07") from None
    if last - first > _LONGEST_HOLIDAY:
        raise ValueError(f"{key}: {entry} is longer than a year; check its years")
    yield from (first + n * _DAY for n in range((last - first).days + 1))


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{key}: unknown key in {where}; known are {', '.join(sorted(known))}")


def _first_complaint(error: ValidationError) -> str:
    """Pydantic's first complaint on one line, with the key as it stands in the file."""
    first = error.errors(include_url=False)[0]
    where = ".".join(_file_key(part) for part in first["loc"])
    return f"{where or 'calendar'}: {first['msg'].removeprefix('Value error, ')}"


def _file_key(part: int | str) -> str:
    return "from" if part == "from_" else str(part)
