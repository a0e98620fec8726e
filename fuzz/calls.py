"""The API, tried through its own document: lives of cases along its links, and single calls, sound and unsound.

Every call goes out with the token of somebody, mostly of one whose hand it is. What must hold of every answer: it is
no fault of the server's, and it is what the document says.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import schemathesis
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from directory.demo_city import officer_home
from domain.actors import Role
from domain.lifecycle import TABLE
from domain.permissions import roles_of
from fuzz.samples import photos
from fuzz.stack import Stack
from fuzz.targets import Tally, Target, run_machine, run_property

_PREFIX = "/api/v1"
_CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
#: Never ends. Its first events are read in tests/api/test_feed.py.
_ENDLESS = f"{_PREFIX}/events/stream"
_TRAVEL = f"{_PREFIX}/dev/advance"
_PATIENCE = 120
_FAULT = 500
_GRID, _LON, _LAT = officer_home("officer-1")
_USERS = {
    Role.OFFICER: ("officer-1", "officer-2", "officer-3"),
    Role.UNIT: ("unit-sanitation", "unit-roads", "unit-water"),
    Role.DISPATCHER: ("dispatcher",),
    Role.SUPERVISOR: ("supervisor",),
    Role.RESIDENT: ("resident",),
    Role.ADMIN: ("admin",),
}
_RIGHT = {
    f"{_PREFIX}/cases/{{case_id}}/{rule.command.name}": sorted({role for hand in rule.hands for role in roles_of(hand)})
    for rule in TABLE
}
_RIGHT_HAND, _REAL = 0.8, 0.7


class _City:
    """What there is: a photo, a case, categories and units, to stand in for what nobody would guess."""

    def __init__(self, stack: Stack, tally: Tally) -> None:
        self.stack, self.tally = stack, tally
        self.client = httpx.Client(base_url=stack.url + _PREFIX, timeout=_PATIENCE)
        officer = {"Authorization": f"Bearer {stack.tokens['officer-1']}"}
        files = {"file": ("p", photos()[0], "image/jpeg")}
        photo = self.client.post("/evidence", files=files, headers=officer).raise_for_status().json()["sha256"]
        place = {"lon": _LON, "lat": _LAT}
        report = {"category": "E0110", "description": "x", "location": place, "confirm_new": True}
        case = self.client.post("/cases", json=report, headers=officer).raise_for_status().json()["id"]
        self.known: dict[str, Any] = {
            **dict.fromkeys(("condition", "grid", "place_type", "source", "discovered_at", "self_handled"), None),
            **dict.fromkeys(("case_id", "case"), case),
            "category": "E0110",
            "location": {"lon": _LON, "lat": _LAT},
            "evidence": [photo],
            "sha256": photo,
            "unit": "sanitation",
            "co_units": ["roads"],
        }

    def headers(self, call: Any) -> dict[str, str]:  # noqa: ANN401 - a case of schemathesis
        roles = _RIGHT.get(call.operation.path)
        role = random.choice(list(Role))  # noqa: S311 - hypothesis seeds it
        if roles and random.random() < _RIGHT_HAND:  # noqa: S311 - likewise
            role = random.choice(roles)  # noqa: S311 - likewise
        user = random.choice(_USERS[role])  # noqa: S311 - likewise
        return {"Authorization": f"Bearer {self.stack.tokens[user]}"}

    def furnish(self, call: Any, *, linked: bool) -> None:  # noqa: ANN401 - likewise
        """Puts in what there is; what a link has filled in stays."""
        if random.random() > _REAL:  # noqa: S311 - likewise
            return
        parts = (call.body,) if linked else (call.path_parameters, call.body)
        for part in parts:
            if isinstance(part, dict):
                part.update({name: value for name, value in self.known.items() if name in part})

    def judge(self, name: str, call: Any, answer: Any) -> None:  # noqa: ANN401 - likewise
        """Notes a fault at once: what was answered once need not be answered again, so nothing is to be replayed."""
        self.tally.tries[name] += 1
        self.tally.answers[f"{name.removeprefix('api ')} {answer.status_code}"] += 1
        try:
            assert answer.status_code < _FAULT or _is_late(call, answer), f"{answer.status_code}: {answer.text[:500]}"
            call.validate_response(answer, checks=_CHECKS)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.tally.found(f"{name} {call.operation.method} {call.operation.path}", error, at=call.as_curl_command())


def _is_late(call: Any, answer: Any) -> bool:  # noqa: ANN401 - likewise
    """Only moving a clock far may take longer than a minute; to everything else the engine must answer."""
    return bool(call.operation.path == _TRAVEL and answer.json().get("code") == "engine_unavailable")


def targets(stack: Stack, tally: Tally, only: str) -> list[Target]:
    city = _City(stack, tally)
    schema = _schema(stack)
    found = [Target("api lives", _lives(_schema(stack), city), examples=20), Target("api log", partial(_look, stack))]
    for mode in schemathesis.GenerationMode:
        found += [
            Target(f"api {mode.value} {operation.method.upper()} {operation.path}", _single(operation, mode, city), 6)
            for operation in _operations(schema)
        ]
    return [each for each in found if each.name.startswith(only)]


def _schema(stack: Stack) -> Any:  # noqa: ANN401 - a schema of schemathesis
    document = httpx.get(f"{stack.url}{_PREFIX}/openapi.json").raise_for_status().json()
    document["paths"].pop(_ENDLESS)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=stack.url)
    return schema


def _operations(schema: Any) -> list[Any]:  # noqa: ANN401 - likewise
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def _lives(schema: Any, city: _City) -> Callable[[int, int], None]:  # noqa: ANN401 - likewise
    schema.config.generation.modes = [schemathesis.GenerationMode.POSITIVE]
    base: type[APIStateMachine] = schema.as_state_machine()

    class Life(base):  # type: ignore[valid-type, misc]  # made at run time
        linked = False

        def step(self, step: Any) -> Any:  # noqa: ANN401 - likewise
            self.linked = step.is_applied
            return super().step(step)

        def before_call(self, case: Any) -> None:  # noqa: ANN401 - likewise
            city.furnish(case, linked=self.linked)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
            return {"headers": city.headers(case), "timeout": _PATIENCE}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:  # noqa: ANN401 - likewise
            city.judge("api lives", case, response)

    return partial(run_machine, Life)


def _single(operation: Any, mode: schemathesis.GenerationMode, city: _City) -> Callable[[int, int], None]:  # noqa: ANN401 - likewise
    name = f"api {mode.value}"

    def attempt(at: int, examples: int) -> None:
        @given(operation.as_strategy(generation_mode=mode))
        def each(case: Any) -> None:  # noqa: ANN401 - likewise
            if mode is schemathesis.GenerationMode.POSITIVE:
                city.furnish(case, linked=False)
            city.judge(name, case, case.call(headers=city.headers(case), timeout=_PATIENCE))

        try:
            run_property(each, at, examples)
        except Unsatisfiable:
            city.tally.answers["nothing to send wrong"] += 1

    return attempt


def _look(stack: Stack, _at: int, _examples: int) -> None:
    """All processes still live, and none has complained of itself."""
    assert stack.process.poll() is None, "the stack has ended"
    complaints = stack.complaints()
    assert not complaints, complaints[-1]
