"""Every command, in every stage, by everybody, against a table written by hand and not from the code."""

from functools import cache
from typing import Any

import pytest

from domain import life
from domain.case import Case, Stage
from domain.commands import Command, ForceClose, Inspect, SubmitRectification, Verify, Withdraw
from domain.errors import RectifyError
from domain.lifecycle import RULES, actions
from tests.support import cases
from tests.support.cases import Life, by_resident, in_stage

PEOPLE = {
    "reporter": cases.RESIDENT,
    "neighbour": cases.NEIGHBOUR,
    "officer": cases.INSPECTOR,
    "far officer": cases.FAR_OFFICER,
    "lead": cases.UNIT,
    "co-unit": cases.CO_UNIT,
    "other unit": cases.OTHER_UNIT,
    "dispatcher": cases.DISPATCHER,
    "far dispatcher": cases.FAR_DISPATCHER,
    "supervisor": cases.SUPERVISOR,
    "admin": cases.ADMIN,
}
STRANGERS = {"neighbour", "far officer", "other unit", "far dispatcher"}
UNITS = {"lead", "co-unit"}
#: In these nobody has been given the case yet, and so no unit sees it.
UNDISPATCHED = {Stage.INTAKE, Stage.DISMISSED}
OPEN = "intake assignment rectification reinspection"
MANAGERS = "dispatcher supervisor"
EVERYBODY = "reporter officer lead co-unit dispatcher supervisor admin"
#: command: stages; who.
BY_HAND = {
    "verify": ("intake", "officer " + MANAGERS),
    "dismiss": ("intake", MANAGERS),
    "assign": ("assignment", MANAGERS),
    "accept": ("assignment", "lead"),
    "return": ("assignment rectification", "lead"),
    "submit": ("rectification", "lead co-unit"),
    "request-extension": ("rectification", "lead"),
    "decide-extension": ("rectification", MANAGERS),
    "suspend": ("rectification", MANAGERS),
    "resume": ("rectification", MANAGERS),
    "inspect": ("reinspection", "officer"),
    "urge": (OPEN, MANAGERS),
    "supervise": (OPEN, "supervisor"),
    "withdraw": ("intake assignment rectification", "reporter " + MANAGERS),
    "force-close": (OPEN, "supervisor"),
    "rate": ("closure", "reporter"),
    "appeal": ("closure", "lead"),
    "decide-appeal": ("closure", MANAGERS),
    "reopen": ("closure", MANAGERS),
    "submit-plan": ("rectification", "lead"),
    "decide-plan": ("rectification", MANAGERS),
    "join": (OPEN, "reporter neighbour officer dispatcher supervisor"),
    "comment": (OPEN + " closure", EVERYBODY),
}
#: What a case that has just come to the stage still lacks.
NOT_YET = {
    ("return", Stage.RECTIFICATION): "return_not_allowed_after_acceptance",
    ("decide-extension", Stage.RECTIFICATION): "no_extension_pending",
    ("resume", Stage.RECTIFICATION): "not_suspended",
    ("submit-plan", Stage.RECTIFICATION): "no_plan_needed",
    ("decide-plan", Stage.RECTIFICATION): "no_plan_pending",
    ("appeal", Stage.CLOSURE): "nothing_to_appeal",
    ("decide-appeal", Stage.CLOSURE): "no_appeal_pending",
}
BODIES: dict[str, dict[str, Any]] = {
    "assign": {"unit": "water"},
    "decide-extension": {"grant": True},
    "suspend": {"until": "2026-04-01"},
    "inspect": {"result": "pass"},
    "supervise": {"requirement": "限期整改"},
    "rate": {"score": 5},
    "decide-appeal": {"grant": True},
    "comment": {"text": "已知悉"},
    "submit-plan": {"text": "分段开挖，夜间施工"},
    "decide-plan": {"grant": True},
    "join": {"description": "我也看到了"},
    "submit": {"evidence": (cases.PHOTO,)},
}


def command(name: str) -> Command:
    kind = RULES[name].command
    given = {"note": "属实", "reason": "按规定", **BODIES.get(name, {})}
    return kind.model_validate({key: value for key, value in given.items() if key in kind.model_fields})


@cache
def at(stage: Stage) -> Case:
    """A resident's case, led by one unit and helped by another."""
    if stage in {Stage.INTAKE, Stage.DISMISSED}:
        return in_stage(stage, proposed_co_units=("greening",)).case
    lived = Life(by_resident(proposed_co_units=("greening",)))
    lived.give(Verify(), cases.DISPATCHER)
    if stage is not Stage.ASSIGNMENT:
        _beyond_assignment(lived.accepted(), stage)
    assert lived.case.stage is stage
    return lived.case


def _beyond_assignment(lived: Life, stage: Stage) -> None:
    match stage:
        case Stage.RECTIFICATION:
            return
        case Stage.WITHDRAWN:
            lived.give(Withdraw(reason="误报"), cases.RESIDENT)
            return
        case Stage.FORCE_CLOSED:
            lived.give(ForceClose(reason="拆迁"), cases.SUPERVISOR)
            return
    lived.give(SubmitRectification(note="完成", evidence=(cases.PHOTO,)), cases.CO_UNIT)
    lived.submitted()
    if stage is not Stage.REINSPECTION:
        lived.give(Inspect(result="pass", note="合格"), cases.INSPECTOR)
    if stage is Stage.ARCHIVED:
        lived.pass_to(cases.shanghai("2026-04-01T08:00"))


def expected(name: str, stage: Stage, who: str) -> str:
    if name == "join":
        return expected_of_a_witness(stage, who)
    stages, hands = BY_HAND[name]
    if who in STRANGERS or (who in UNITS and stage in UNDISPATCHED):
        return "case_not_found"
    if who not in hands.split():
        return "role_forbidden"
    if stage not in stages.split():
        return "stage_forbids"
    if (name, who) == ("submit", "lead"):
        return "co_units_pending"
    return NOT_YET.get((name, stage), "ok")


def expected_of_a_witness(stage: Stage, who: str) -> str:
    """Anybody may find the same who may report at all, whether the case is his to see or not."""
    if who in {*UNITS, "other unit", "admin"}:
        hidden = who == "other unit" or (who in UNITS and stage in UNDISPATCHED)
        return "case_not_found" if hidden else "role_forbidden"
    if stage not in BY_HAND["join"][0].split():
        return "stage_forbids"
    return "already_joined" if who == "reporter" else "ok"


def outcome(name: str, stage: Stage, who: str) -> str:
    try:
        life.give(at(stage), command(name), PEOPLE[who], at(stage).updated_at)
    except RectifyError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("name", BY_HAND)
class TestEveryCell:
    def test_answers_as_the_table_says(self, name: str, stage: Stage) -> None:
        found = {who: outcome(name, stage, who) for who in PEOPLE}
        assert found == {who: expected(name, stage, who) for who in PEOPLE}

    def test_is_offered_exactly_when_it_would_be_taken(self, name: str, stage: Stage) -> None:
        offered = {who for who, actor in PEOPLE.items() if name in actions(at(stage), actor)}
        takeable = {"ok", "co_units_pending"}  # the lead may not finish yet, but may report a milestone
        seen = PEOPLE.keys() - STRANGERS if name == "join" else PEOPLE.keys()  # a stranger is offered nothing
        assert offered == {who for who in seen if expected(name, stage, who) in takeable}


class TestTheTable:
    def test_has_a_row_for_every_command(self) -> None:
        assert set(RULES) == set(BY_HAND)

    def test_tells_a_refused_caller_the_stage_and_what_is_possible(self) -> None:
        with pytest.raises(RectifyError) as caught:
            life.give(at(Stage.CLOSURE), command("accept"), cases.UNIT, at(Stage.CLOSURE).updated_at)
        assert caught.value.params == {"command": "accept", "stage": "closure", "actions": ["comment"]}
