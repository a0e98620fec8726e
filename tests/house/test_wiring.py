"""What one part names, another provides: a name that leads nowhere is found here and not at night."""

import ast
import inspect
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from temporalio import activity
from temporalio.common import SearchAttributeKey

from activities.recording import RecordingActivities
from api import commands, joining
from domain import life
from domain.lifecycle import TABLE
from tests.support.engine import Desk, Fakes, report
from workflows import attributes, case
from workflows import interface as i

#: The calls by which a workflow names an activity, as their first argument.
ACTIVITY_CALLS = {"execute_activity", "execute_local_activity", "start_activity", "start_local_activity"}


def named_activities() -> set[str]:
    """The names, in the source of the workflow, that its activities are called by."""
    tree = ast.parse(inspect.getsource(case))
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    arguments = [node.args[0] for node in called if ast.unparse(node.func).split(".")[-1] in ACTIVITY_CALLS]
    return {getattr(i, argument.attr) for argument in arguments if isinstance(argument, ast.Attribute)}


class TestCommands:
    @pytest.mark.parametrize("name", [rule.command.name for rule in TABLE])
    def test_have_a_route_each(self, name: str) -> None:
        routes = {
            route.path
            for route in (*commands.router.routes, *joining.router.routes)
            if isinstance(route, APIRoute) and "POST" in (route.methods or ())
        }
        assert f"/cases/{{case_id}}/{name}" in routes

    def test_are_no_other_updates_name(self) -> None:
        assert not {rule.command.name for rule in TABLE} & {i.RECALENDAR, i.REPROJECT}


class TestActivities:
    async def test_that_workflows_call_are_registered_by_the_worker(self, lonely_desk: Desk) -> None:
        config: Any = lonely_desk.worker().config()
        registered = {activity._Definition.must_from_callable(one).name for one in config["activities"]}
        assert named_activities()
        assert named_activities() <= registered

    def test_take_what_they_are_given(self) -> None:
        hints = inspect.signature(RecordingActivities(Fakes()).record).parameters
        assert [parameter.annotation.__name__ for parameter in hints.values()] == ["Record"]


class TestSearchAttributes:
    def test_that_are_set_are_registered_with_their_type(self) -> None:
        opened = life.snapshot(life.open_case(report())[0])
        kinds = {key.name: key.indexed_value_type.name for key in attributes._values(opened)}
        assert {name: kind.upper() for name, kind in attributes.REGISTERED.items()} == kinds

    def test_are_all_in_one_module(self) -> None:
        declared = {value.name for value in vars(attributes).values() if isinstance(value, SearchAttributeKey)}
        assert declared == set(attributes.REGISTERED)


class TestTimeouts:
    def test_of_the_first_attempt_to_record_fit_into_a_workflow_task(self) -> None:
        """The default task may take ten seconds; a local activity beyond that would be begun again and again."""
        assert timedelta(seconds=10) > i.RECORD_AT_ONCE
