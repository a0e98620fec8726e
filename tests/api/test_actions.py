"""`actions` tell each caller exactly what he may do; what the table says, HTTP says, in every stage, to everybody."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.actors import Actor, Role
from domain.case import OPEN, Snapshot, Stage
from domain.errors import Forbidden, NotVisible
from domain.lifecycle import RULES, authorise
from tests.api.lives import closed
from tests.support.stack import Json, Stack

#: Everybody there is, as seen from a resident's case that `roads` leads and `parks` helps with.
PEOPLE = ("resident", "officer-1", "officer-2", "dispatcher", "supervisor", "admin")
UNITS = ("unit-roads", "unit-parks", "unit-water")
EVERYBODY = (*PEOPLE, *UNITS)
_BODIES: dict[str, Json] = {
    "assign": {"unit": "water", "co_units": []},
    "decide-extension": {"grant": True},
    "suspend": {"until": "2099-01-01"},
    "inspect": {"result": "pass"},
    "supervise": {"requirement": "限期整改"},
    "rate": {"score": 5},
    "decide-appeal": {"grant": True},
    "comment": {"text": "已知悉"},
    "join": {"description": "也看到了"},
    "submit-plan": {"text": "先围挡，后修复"},
    "decide-plan": {"grant": True},
}
#: A listed command may still fail for what its body lacks: a suspension till 2099, a lead before his co-units.
_BODY_REASONS = {"suspension_too_long", "co_units_pending"}


def body(name: str, photo: str) -> Json:
    kind = RULES[name].command
    given = {"note": "属实", "reason": "按规定", "evidence": [photo], **_BODIES.get(name, {})}
    return {key: value for key, value in given.items() if key in kind.model_fields}


async def intake(stack: Stack) -> Json:
    return await stack.open("resident", category="E0602")


async def assignment(stack: Stack) -> Json:
    case = await stack.do("dispatcher", await intake(stack), "verify")
    return await stack.do("dispatcher", case, "assign", unit="roads", co_units=["parks"])


async def rectification(stack: Stack) -> Json:
    return await stack.do("unit-roads", await assignment(stack), "accept")


async def reinspection(stack: Stack) -> Json:
    case, photo = await rectification(stack), await stack.photo()
    await stack.do("unit-parks", case, "submit", note="完成", evidence=[photo])
    return await stack.do("unit-roads", case, "submit", note="完成", evidence=[photo])


async def closure(stack: Stack) -> Json:
    return await stack.do("officer-2", await reinspection(stack), "inspect", result="pass", note="合格")


async def force_closed(stack: Stack) -> Json:
    return await stack.do("supervisor", await rectification(stack), "force-close", reason="拆迁")


STAGES: dict[Stage, Callable[[Stack], Awaitable[Json]]] = {
    Stage.INTAKE: intake,
    Stage.ASSIGNMENT: assignment,
    Stage.RECTIFICATION: rectification,
    Stage.REINSPECTION: reinspection,
    Stage.CLOSURE: closure,
    Stage.FORCE_CLOSED: force_closed,
}


async def offered(stack: Stack, user: str, case: Json) -> tuple[str, ...]:
    """To whom the case is not shown, nothing is offered."""
    answer = await stack.client(user).get(f"/cases/{case['id']}")
    assert answer.status_code in {200, 404}
    return tuple(answer.json().get("actions", ()))


async def actor(stack: Stack, user: str) -> Actor:
    found = await stack.services.tokens.actor(stack.tokens[user], stack.services.now())
    assert found is not None
    return found


def status(who: Actor, case: Snapshot, name: str) -> int:
    """By the table, of a command that is not offered: not to be seen, not his hand, not now."""
    try:
        authorise(RULES[name], who, case)
    except (NotVisible, Forbidden) as error:
        return error.status
    rule = RULES[name]
    done = not all(guard.holds(who, case) for guard in rule.caller_guards)
    assert done or case.stage not in rule.stages or name not in case.commands
    return 409


@pytest.mark.parametrize("stage", STAGES)
class TestActions:
    async def test_that_are_not_offered_are_refused(self, stack: Stack, stage: Stage) -> None:
        case, photo = await STAGES[stage](stack), await stack.photo()
        assert case["stage"] == stage

        async def refusals(user: str) -> dict[str, int]:
            others = set(RULES) - set(await offered(stack, user, case))
            answers = [await stack.give(user, case, name, **body(name, photo)) for name in sorted(others)]
            return dict(zip(sorted(others), (answer.status_code for answer in answers), strict=True))

        found = await asyncio.gather(*map(refusals, EVERYBODY))
        snapshot = await stack.services.cases.snapshot(case["id"])
        actors = [await actor(stack, user) for user in EVERYBODY]
        assert found == [
            {name: status(who, snapshot, name) for name in each} for who, each in zip(actors, found, strict=True)
        ]
        assert (await stack.see("admin", case))["version"] == case["version"]

    async def test_that_are_offered_are_taken(self, stack: Stack, stage: Stage) -> None:
        case, photo = await STAGES[stage](stack), await stack.photo()
        found = {user: await offered(stack, user, case) for user in EVERYBODY}

        async def take(user: str, name: str) -> None:
            answer = await stack.give(user, await STAGES[stage](stack), name, **body(name, photo))
            assert answer.status_code == 200 or answer.json()["code"] in _BODY_REASONS, (user, name, answer.text)

        await asyncio.gather(*(take(user, name) for user, names in found.items() for name in names))
        assert any(found.values()) == (stage is not Stage.FORCE_CLOSED)


class TestEveryRole:
    async def test_has_somebody_here(self, stack: Stack) -> None:
        assert {(await actor(stack, user)).role for user in EVERYBODY} == set(Role)

    def test_and_every_open_stage_is_met(self) -> None:
        assert set(STAGES) >= OPEN


class TestMoreThanMayBe:
    async def test_who_was_late_is_offered_an_appeal(self, stack: Stack) -> None:
        case = await stack.do("unit-sanitation", await stack.open(), "accept")
        case = await closed(stack, await stack.advance(case, "PT5H"))
        assert await offered(stack, "unit-sanitation", case) == ("appeal", "comment")
        case = await stack.do("unit-sanitation", case, "appeal", reason="道路封闭")
        case = await stack.do("dispatcher", case, "decide-appeal", grant=True, reason="属实")
        assert "decide-appeal" not in await offered(stack, "dispatcher", case)
        assert "decide-appeal" in await offered(stack, "supervisor", case)

    async def test_who_is_overdue_is_offered_no_extension(self, stack: Stack) -> None:
        case = await stack.do("unit-sanitation", await stack.open(), "accept")
        assert "request-extension" in await offered(stack, "unit-sanitation", case)
        case = await stack.recorded(await stack.advance(case, "PT5H"))
        assert "request-extension" not in await offered(stack, "unit-sanitation", case)
