"""The usual ways through a case's life, by the hands of the demonstration city."""

from tests.support.stack import Json, Stack

LEAD = "unit-sanitation"


async def accepted(stack: Stack, case: Json | None = None) -> Json:
    return await stack.do(LEAD, case or await stack.open(), "accept")


async def submitted(stack: Stack, case: Json | None = None) -> Json:
    case = case or await accepted(stack)
    unit = f"unit-{case['lead_unit']}"
    return await stack.do(unit, case, "submit", note="已清运", evidence=[await stack.photo(unit)])


async def closed(stack: Stack, case: Json | None = None) -> Json:
    return await stack.do("officer-2", await submitted(stack, case), "inspect", result="pass", note="合格")


async def ended(stack: Stack, case: Json | None = None) -> Json:
    return await stack.do("supervisor", case or await stack.open(), "force-close", reason="拆迁区域")


async def types(stack: Stack, case: Json) -> list[str]:
    """Of everything that happened to the case."""
    answer = await stack.client("supervisor").get(f"/cases/{case['id']}/events")
    return [event["type"] for event in answer.json()["items"]]
