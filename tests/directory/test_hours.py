"""A unit may keep working time of its own."""

import pytest

from directory.demo_city import demo_directory
from directory.hours import Hours
from directory.model import Directory
from domain.calendar import Calendar
from domain.policy import UnitCalendar
from tests.support.cases import CALENDAR, rules

EARLY = CALENDAR.model_copy(update={"id": "early", "version": 4})
RULES = rules()


def city(**calendars: str) -> Directory:
    demo = demo_directory()
    units = (unit.model_copy(update={"calendar": calendars.get(unit.id)}) for unit in demo.units)
    return demo.model_copy(update={"units": tuple(units)})


@pytest.fixture(scope="module")
def hours() -> Hours:
    known: dict[str, Calendar] = {EARLY.id: EARLY, CALENDAR.id: CALENDAR}
    return Hours(city(sanitation="early", parks="early", roads=CALENDAR.id, water="lost"), RULES, known)


class TestHours:
    def test_are_a_units_own(self, hours: Hours) -> None:
        early = UnitCalendar(unit="parks", calendar=EARLY), UnitCalendar(unit="sanitation", calendar=EARLY)
        assert hours.of(["parks", "sanitation", "parks"]) == early

    @pytest.mark.parametrize("unit", ["roads", "water", "atlantis", None])
    def test_are_the_citys_for_everybody_else(self, hours: Hours, unit: str | None) -> None:
        assert hours.of([unit]) == ()
        assert hours.rules([unit]) is RULES

    def test_make_rules_once_for_a_set_of_units(self, hours: Hours) -> None:
        made = hours.rules(["sanitation", "roads"])
        assert made is hours.rules(["sanitation"])
        assert made.calendar_of("sanitation") == EARLY
        assert made.calendar_of("roads") == CALENDAR
        assert made.digest != RULES.digest
