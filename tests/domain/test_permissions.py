"""Who sees a case, and who may lay a hand on it."""

import pytest

from domain.actors import Actor, Role, within
from domain.case import Stage
from domain.commands import Assign, Inspect, SubmitRectification
from domain.errors import Forbidden, NotVisible
from domain.permissions import Hand, holds, may_see, role_could
from tests.support.cases import (
    ADMIN,
    CITY,
    CO_UNIT,
    DISPATCHER,
    FAR_DISPATCHER,
    FAR_OFFICER,
    INSPECTOR,
    NEIGHBOUR,
    OFFICER,
    OTHER_INSPECTOR,
    PHOTO,
    RESIDENT,
    STREET,
    SUPERVISOR,
    UNIT,
    Life,
    by_resident,
    in_stage,
    opening,
)

INSPECTION = Inspect(result="pass", note="合格")


class TestSeeing:
    @pytest.mark.parametrize("actor", [OFFICER, INSPECTOR, OTHER_INSPECTOR, UNIT, DISPATCHER, SUPERVISOR, ADMIN])
    def test_whoever_has_to_do_with_a_case_sees_it(self, actor: Actor) -> None:
        assert may_see(actor, in_stage(Stage.ASSIGNMENT).case)

    @pytest.mark.parametrize("actor", [FAR_OFFICER, CO_UNIT, RESIDENT, NEIGHBOUR])
    def test_nobody_else_does(self, actor: Actor) -> None:
        assert not may_see(actor, in_stage(Stage.ASSIGNMENT).case)

    def test_a_case_known_only_by_its_address_can_be_inspected_by_any_officer_of_the_city(self) -> None:
        case = in_stage(Stage.REINSPECTION, area=CITY, grid=None, location=None, address="桥头市场").case
        assert all(holds(officer, Hand.INSPECTOR, case) for officer in (INSPECTOR, OTHER_INSPECTOR, FAR_OFFICER))
        assert not may_see(FAR_DISPATCHER, case)

    def test_a_resident_sees_his_own_and_no_other(self) -> None:
        case = Life(by_resident()).case
        assert may_see(RESIDENT, case)
        assert not may_see(NEIGHBOUR, case)

    def test_a_resident_sees_nothing_by_living_in_the_area(self) -> None:
        neighbour = NEIGHBOUR.model_copy(update={"area": STREET})
        assert not may_see(neighbour, Life(by_resident()).case)

    def test_an_area_is_a_subtree_and_not_a_prefix(self) -> None:
        assert within("/city/east/bridge", "/city/east")
        assert within("/city/east", "/city/east")
        assert not within("/city/eastern", "/city/east")
        assert not within("/city", "/city/east")

    def test_a_unit_without_a_name_sees_nothing(self) -> None:
        nameless = Actor(user="u", role=Role.UNIT)
        assert not may_see(nameless, Life(opening(proposed_unit=None)).case)

    def test_a_unit_that_lost_the_case_sees_it_no_more(self) -> None:
        lived = in_stage(Stage.ASSIGNMENT)
        lived.give(Assign(unit="water"), DISPATCHER)
        with pytest.raises(NotVisible, match="case_not_found"):
            lived.accepted()


class TestThreeHands:
    def test_the_reporter_does_not_inspect(self) -> None:
        with pytest.raises(Forbidden, match="separation_of_duties"):
            in_stage(Stage.REINSPECTION).inspected("pass", by=OFFICER)

    def test_an_officer_of_the_unit_does_not_inspect(self) -> None:
        of_the_unit = INSPECTOR.model_copy(update={"unit": "sanitation"})
        with pytest.raises(Forbidden, match="separation_of_duties"):
            in_stage(Stage.REINSPECTION).inspected("pass", by=of_the_unit)

    def test_whoever_rectified_does_not_inspect_whatever_his_role_is_now(self) -> None:
        changed_sides = Actor(user=UNIT.user, role=Role.OFFICER, area=STREET)
        with pytest.raises(Forbidden, match="separation_of_duties"):
            in_stage(Stage.REINSPECTION).inspected("pass", by=changed_sides)

    def test_nor_in_a_later_round(self) -> None:
        lived = in_stage(Stage.REINSPECTION).inspected("fail")
        colleague = Actor(user="unit-user-2", role=Role.UNIT, unit="sanitation")
        lived.give(SubmitRectification(note="返工", evidence=(PHOTO,)), colleague)
        with pytest.raises(Forbidden, match="separation_of_duties"):
            lived.inspected("pass", by=Actor(user=UNIT.user, role=Role.OFFICER, area=STREET))

    def test_a_third_hand_does(self) -> None:
        assert in_stage(Stage.REINSPECTION).inspected("pass", by=OTHER_INSPECTOR).case.stage is Stage.CLOSURE


class TestHands:
    @pytest.mark.parametrize("hand", Hand)
    def test_a_role_that_never_could_be_a_hand_never_is(self, hand: Hand) -> None:
        case = Life(by_resident()).case
        for actor in (OFFICER, UNIT, DISPATCHER, SUPERVISOR, RESIDENT, ADMIN):
            assert role_could(actor, hand) or not holds(actor, hand, case)

    def test_a_dispatcher_works_in_his_own_area_only(self) -> None:
        elsewhere = DISPATCHER.model_copy(update={"area": "/city/west"})
        case = in_stage(Stage.ASSIGNMENT).case
        assert holds(DISPATCHER, Hand.DISPATCHER, case)
        assert not holds(elsewhere, Hand.DISPATCHER, case)
