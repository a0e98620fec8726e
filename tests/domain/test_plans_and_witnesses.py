"""Works that need a plan 方案 first; and people who find what somebody else has reported already."""

import pytest

from domain.actors import Actor, Role
from domain.case import Case
from domain.commands import Comment, DecidePlan, Join, SubmitPlan, SubmitRectification
from domain.decisions import MOST_REPORTERS
from domain.errors import Conflict, Forbidden, NotVisible
from domain.lifecycle import actions
from domain.permissions import Hand, holds, may_see
from domain.policy import Audience
from domain.record import recipients
from tests.support.cases import (
    DISPATCHER,
    INSPECTOR,
    NEIGHBOUR,
    OTHER_PHOTO,
    PHOTO,
    RESIDENT,
    SUPERVISOR,
    UNIT,
    Life,
    by_resident,
    opening,
    replayed,
    verified,
)

DONE = SubmitRectification(note="铺设完毕", evidence=(PHOTO,))
PLAN = SubmitPlan(text="分段开挖，夜间施工", evidence=(OTHER_PHOTO,))
SAW_IT = Join(description="我也看到了", evidence=(OTHER_PHOTO,))


def works() -> Life:
    return Life(opening(needs_plan=True)).accepted()


def refusal(lived: Life, command: SubmitRectification | SubmitPlan | DecidePlan | Join, actor: Actor) -> str:
    with pytest.raises((Conflict, Forbidden, NotVisible)) as caught:
        lived.give(command, actor)
    return caught.value.code


class TestAPlan:
    def test_comes_before_the_submission(self) -> None:
        assert refusal(works(), DONE, UNIT) == "plan_required"

    def test_that_waits_is_no_permission(self) -> None:
        lived = works()
        lived.give(PLAN, UNIT)
        assert refusal(lived, DONE, UNIT) == "plan_required"

    def test_approved_lets_the_works_be_submitted(self) -> None:
        lived = works()
        lived.give(PLAN, UNIT)
        lived.give(DecidePlan(grant=True, reason="可行"), DISPATCHER)
        lived.give(DONE, UNIT)
        assert lived.case.stage == "reinspection"
        assert replayed(lived) == lived.case

    def test_refused_may_be_submitted_anew(self) -> None:
        lived = works()
        lived.give(PLAN, UNIT)
        lived.give(DecidePlan(grant=False, reason="影响交通"), DISPATCHER)
        assert refusal(lived, DONE, UNIT) == "plan_required"
        lived.give(PLAN, UNIT)
        lived.give(DecidePlan(grant=True, reason="可行"), SUPERVISOR)
        assert refusal(lived, PLAN, UNIT) == "plan_already_approved"

    def test_is_decided_on_once(self) -> None:
        lived = works()
        lived.give(PLAN, UNIT)
        lived.give(DecidePlan(grant=True, reason="可行"), DISPATCHER)
        assert refusal(lived, DecidePlan(grant=False, reason="再议"), SUPERVISOR) == "no_plan_pending"

    def test_stays_approved_in_the_next_round(self) -> None:
        lived = works()
        lived.give(PLAN, UNIT)
        lived.give(DecidePlan(grant=True, reason="可行"), DISPATCHER)
        lived.give(DONE, UNIT)
        lived.inspected("fail")
        lived.give(DONE, UNIT)
        assert lived.case.round == 2

    def test_is_not_asked_for_otherwise(self) -> None:
        assert refusal(Life().accepted(), PLAN, UNIT) == "no_plan_needed"


def joined() -> Life:
    lived = verified(Life(by_resident()))
    lived.give(SAW_IT, NEIGHBOUR)
    return lived


class TestAWitness:
    def test_sees_the_case_from_then_on(self) -> None:
        before = verified(Life(by_resident())).case
        lived = joined()
        assert not may_see(NEIGHBOUR, before)
        assert may_see(NEIGHBOUR, lived.case)
        assert "comment" in actions(lived.case, NEIGHBOUR)
        lived.give(Comment(text="还在那里"), NEIGHBOUR)
        assert replayed(lived) == lived.case

    def test_joins_once(self) -> None:
        assert refusal(joined(), SAW_IT, NEIGHBOUR) == "already_joined"

    def test_is_not_the_reporter_again(self) -> None:
        assert refusal(joined(), SAW_IT, RESIDENT) == "already_joined"

    def test_hears_of_the_end_like_the_first_reporter(self) -> None:
        lived = joined().accepted().submitted()
        lived.inspected("pass")
        everybody = recipients(Audience.REPORTER, lived.case, "sanitation", lived.events[-1].fact)
        assert everybody == (RESIDENT.user, NEIGHBOUR.user)

    def test_is_told_alone_that_he_has_joined(self) -> None:
        lived = joined()
        assert recipients(Audience.REPORTER, lived.case, "sanitation", lived.events[-1].fact) == (NEIGHBOUR.user,)

    def test_does_not_inspect_what_he_found(self) -> None:
        lived = Life()
        assert holds(INSPECTOR, Hand.INSPECTOR, lived.case)
        lived.give(SAW_IT, INSPECTOR)
        assert not holds(INSPECTOR, Hand.INSPECTOR, lived.case)

    def test_speaks_for_nobody_else(self) -> None:
        for_others = Join(description="他们也看到了", on_behalf_of=("resident-7",))
        assert refusal(verified(Life(by_resident())), for_others, NEIGHBOUR) == "on_behalf_not_yours"

    def test_a_unit_is_none(self) -> None:
        assert refusal(joined(), SAW_IT, UNIT) == "role_forbidden"


class TestOnBehalf:
    def test_a_dispatcher_joins_several_those_that_are_new(self) -> None:
        lived = joined()
        both = Join(description="并案", on_behalf_of=(NEIGHBOUR.user, "resident-7", RESIDENT.user))
        lived.give(both, DISPATCHER)
        assert lived.case.joined == (NEIGHBOUR.user, "resident-7")

    def test_there_is_an_end_to_it(self) -> None:
        many = tuple(f"resident-{n}" for n in range(100, 100 + MOST_REPORTERS))
        lived = Life()
        lived.give(Join(description="并案", on_behalf_of=many), DISPATCHER)
        assert refusal(lived, SAW_IT, NEIGHBOUR) == "too_many_joined"

    def test_admins_report_nothing(self) -> None:
        case: Case = joined().case
        assert "join" not in actions(case, Actor(user="admin-1", role=Role.ADMIN))
