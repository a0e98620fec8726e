"""The API does what its OpenAPI document says, for whatever a client may send: schemathesis tries."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.lives import closed, submitted
from tests.support.stack import LAT, LON, Json, Stack

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: Endless; its first events are read in test_feed.
ENDLESS = "/api/v1/events/stream"
_QUICK = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def document(stack: Stack) -> Json:
    whole = stack.app.openapi()
    return {**whole, "paths": {path: each for path, each in whole["paths"].items() if path != ENDLESS}}


def operations(stack: Stack) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document(stack))
    schema.config.update(base_url=stack.url)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def attempt(operation: Any, mode: schemathesis.GenerationMode, token: str, known: Json) -> None:  # noqa: ANN401 - schemathesis's own
    """`known`: what there is in this city, put into half of the sound requests."""
    sound = mode is schemathesis.GenerationMode.POSITIVE

    @_QUICK
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans() if sound else st.just(value=False))
    def each(case: Any, real: bool) -> None:  # noqa: ANN401, FBT001 - likewise; hypothesis draws it
        if real:
            for part in (case.path_parameters, case.body):
                if isinstance(part, dict):
                    part.update({name: value for name, value in known.items() if name in part})
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=20)

    each()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
class TestTheDocument:
    async def test_tells_the_truth(self, stack: Stack, mode: schemathesis.GenerationMode) -> None:
        photo = await stack.photo("supervisor")
        known = {
            "case_id": (await stack.recorded(await submitted(stack)))["id"],
            "case": (await stack.recorded(await closed(stack)))["id"],
            "sha256": photo,
            "evidence": [photo],
            "category": "E0110",
            "condition": None,
            "grid": None,
            "place_type": None,
            "source": None,
            "discovered_at": None,
            "self_handled": None,
            "location": {"lon": LON, "lat": LAT},
            "unit": "roads",
            "co_units": [],
        }
        tried = 0
        for operation in operations(stack):
            try:
                await asyncio.to_thread(attempt, operation, mode, stack.tokens["supervisor"], known)
                tried += 1
            except Unsatisfiable:
                assert not list(operation.iter_parameters()), "what takes nothing can be sent nothing wrong"
        assert tried > 30
