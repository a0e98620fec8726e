"""Nothing that a case can be told is left untried by the people of the city, and its rules know what they use."""

from random import Random
from typing import Any

from chaos import city
from chaos.judge.evidence import Json
from chaos.judge.words import EFFECTS
from chaos.people import WISHES, Known, Person, Town
from directory.rules import parse_policy
from domain.lifecycle import RULES


class Listener:
    """A desk that notes what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str | None, Json]] = []

    def key(self) -> str:
        return "k-1"

    async def give(self, _key: str, command: str, case: str | None, body: Json) -> None:
        self.given.append((command, case, body))


def person(role: str, *cases: str) -> tuple[Person, Listener]:
    desk: Any = Listener()
    town = Town()
    town.cases.extend(Known(case, (110.0, 38.0)) for case in cases)
    return Person(role, desk, town, Random(1)), desk  # noqa: S311 - it has to be repeatable


class TestThePeople:
    def test_wish_for_every_command(self) -> None:
        assert {name for wishes in WISHES.values() for name in wishes} == RULES.keys()

    def test_wish_for_nothing_that_the_judge_does_not_know(self) -> None:
        assert RULES.keys() | {"open", "merge"} == EFFECTS.keys()

    def test_send_a_case_to_co_units_now_and_then(self) -> None:
        dispatcher, _ = person("dispatcher")
        sent = [dispatcher._extras("assign") for _ in range(50)]
        assert {len(each["co_units"]) for each in sent} == {0, 1, 2}
        assert all(each["unit"] not in each["co_units"] for each in sent)

    def test_go_ahead_now_and_then(self) -> None:
        unit, _ = person("unit")
        assert {unit._extras("submit")["ahead_because"] is None for _ in range(50)} == {True, False}

    async def test_join_where_they_say_they_have_found_it(self) -> None:
        resident, desk = person("resident", "RC-1")
        await resident.join()
        [(command, case, body)] = desk.given
        assert (command, case, body["location"]) == ("join", "RC-1", {"lon": 110.0, "lat": 38.0})

    async def test_merge_two_different_cases(self) -> None:
        dispatcher, desk = person("dispatcher", "RC-1", "RC-2")
        await dispatcher.merge()
        [(command, case, body)] = desk.given
        assert command == "merge"
        assert {case, body["into"]} == {"RC-1", "RC-2"}


class TestTheCity:
    def test_gives_co_units_a_clock(self) -> None:
        policy = parse_policy(city.RULES.read_text("utf-8"))
        assert policy.co_units is not None
        assert policy.co_units.lead_may_go_ahead

    def test_wants_a_plan_for_one_category(self) -> None:
        conditions = [each for category in city.city().categories for each in category.conditions]
        assert {each.category for each in conditions if each.needs_plan} == {city.PLANNED}
