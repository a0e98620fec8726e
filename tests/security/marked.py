"""Lives in which every command that takes words is given, and each word is a mark of its own."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args, get_type_hints

from domain import case_id
from domain.lifecycle import TABLE
from domain.text import Note, Reason
from tests.api.lives import LEAD
from tests.support.engine import report
from tests.support.stack import LAT, LON, Json, Stack

MARK = "隐私标记"
REFERENCE = "REF-13812345678"
#: Of the table of the lifecycle: each command with each of its members that somebody writes in words.
WORDS = {
    (rule.command.name, member)
    for rule in TABLE
    for member, hint in get_type_hints(rule.command, include_extras=True).items()
    if any(each in (Note, Reason) for each in (hint, *get_args(hint)))
}
HERE = {"lon": LON, "lat": LAT}


@dataclass
class Marked:
    """`said`: what has been given by now."""

    stack: Stack
    said: set[tuple[str, str]] = field(default_factory=set)

    async def open(self, user: str) -> Json:
        words = {name: f"{MARK}{name}" for name in ("description", "address")}
        return await self.stack.open(user, external_ref=REFERENCE, **words)

    async def give(self, user: str, case: Json, command: str, **rest: Any) -> Json:  # noqa: ANN401 - any member
        """With a mark for each member in words."""
        words = {name: f"{MARK}{command}-{name}" for name in members(command) if name not in rest}
        self.said |= {(command, name) for name in words}
        return await self.stack.do(user, case, command, **words, **rest)

    async def submit(self, user: str, case: Json, **rest: Any) -> Json:  # noqa: ANN401 - likewise
        return await self.give(user, case, "submit", evidence=[await self.stack.photo(user)], **rest)


def members(command: str) -> Iterator[str]:
    return (member for name, member in WORDS if name == command)


async def lived(stack: Stack) -> list[Json]:
    """Ended cases; of all words that there are, none was left out."""
    marked = Marked(stack)
    cases = [await pressed(marked), await handed_on(marked), await dismissed(marked), await planned(marked)]
    assert marked.said == WORDS
    return [await stack.recorded(case) for case in cases]


async def pressed(marked: Marked) -> Json:
    case = await marked.open("officer-1")
    await marked.give("resident", case, "join", location=HERE)
    await marked.give(LEAD, case, "comment")
    await marked.give("dispatcher", case, "urge")
    await marked.give("supervisor", case, "supervise")
    await marked.give(LEAD, case, "accept")
    await marked.give(LEAD, case, "request-extension")
    await marked.give("dispatcher", case, "decide-extension", grant=False)
    tomorrow = (marked.stack.services.now() + timedelta(days=1)).isoformat()
    await marked.give("supervisor", case, "suspend", until=tomorrow)
    await marked.give("supervisor", case, "resume")
    await marked.submit(LEAD, case, ahead_because=None)
    await marked.give("officer-2", case, "inspect", result="fail")
    await marked.stack.advance(case, "P2D")
    return await marked.give("supervisor", case, "force-close")


async def handed_on(marked: Marked) -> Json:
    """Verified, returned, given to two units, late, put right by one of them, appealed, opened again."""
    case = await marked.open("resident")
    await marked.give("dispatcher", case, "verify")
    await marked.give(LEAD, case, "return")
    await marked.give("dispatcher", case, "assign", unit="roads", co_units=["parks"])
    await marked.give("unit-roads", case, "accept")
    await marked.stack.advance(case, "P1D")
    await marked.submit("unit-roads", case)
    await marked.give("officer-2", case, "inspect", result="pass")
    await marked.give("resident", case, "rate", score=1)
    await marked.give("unit-roads", case, "appeal")
    await marked.give("dispatcher", case, "decide-appeal", grant=False)
    await marked.give("supervisor", case, "reopen")
    return await marked.give("supervisor", case, "withdraw")


async def dismissed(marked: Marked) -> Json:
    return await marked.give("dispatcher", await marked.open("resident"), "dismiss")


async def planned(marked: Marked) -> Json:
    """No condition of the demonstration city asks for a plan: this case is opened on the engine itself."""
    words = {name: f"{MARK}{name}" for name in ("description", "address")}
    number = case_id.make(secrets.randbits(case_id.BITS))
    opening = report(id=number, area="/qinghe/yunlan/qingshi", needs_plan=True, external_ref=REFERENCE, **words)
    await marked.stack.services.cases.open(opening, "planned")
    case = await marked.stack.see("dispatcher", {"id": number})
    await marked.give(LEAD, case, "accept")
    await marked.give(LEAD, case, "submit-plan")
    await marked.give("dispatcher", case, "decide-plan", grant=True)
    return await marked.give("supervisor", case, "force-close")
