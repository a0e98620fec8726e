"""Working time of units that do not keep the city's: what a case takes along when it is sent to one of them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from directory.model import Directory
from domain.calendar import Calendar
from domain.policy import Rules, UnitCalendar

#: Sets of units that cases are sent to; each has its rules made once.
_SETS = 4096


class Hours:
    """`calendars`: the latest version of each that a unit names, by id. One that is not there counts as the city's."""

    def __init__(self, directory: Directory, rules: Rules, calendars: Mapping[str, Calendar]) -> None:
        self._own = {
            unit.id: UnitCalendar(unit=unit.id, calendar=calendars[unit.calendar])
            for unit in directory.units
            if unit.calendar and unit.calendar in calendars and unit.calendar != rules.calendar.id
        }
        self._rules = rules
        self._with = lru_cache(_SETS)(self._made)

    def of(self, units: Iterable[str | None]) -> tuple[UnitCalendar, ...]:
        """In the order of the units, each once."""
        return tuple(self._own[unit] for unit in dict.fromkeys(units) if unit in self._own)

    def rules(self, units: Iterable[str | None]) -> Rules:
        """Those that a case sent to these units begins with."""
        own = tuple(unit for unit in dict.fromkeys(units) if unit in self._own)
        return self._with(own) if own else self._rules

    def _made(self, units: tuple[str, ...]) -> Rules:
        return self._rules.changed(units=self.of(units))
