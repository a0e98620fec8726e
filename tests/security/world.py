"""A case full of marks, and everybody to whom it is foreign: each role, elsewhere."""

from dataclasses import dataclass
from datetime import UTC, datetime

from directory.model import Point, User
from domain.actors import Actor, Role
from domain.case import Snapshot
from store import cases, passwords, points, tokens
from store.city_tables import UserRow
from store.database import insert, writing
from tests.support.hashing import cheap
from tests.support.stack import FAR, Json, Stack

#: Stand in the foreign case and nowhere else; none may be seen by whom it does not concern.
MARKS = {
    "description": "标记甲垃圾堆在王某门前",
    "address": "标记乙巷十七号三单元",
    "external_ref": "MARK-C-13800138000",
    "comment": "标记丁电话13900139000",
}
#: Beside those of the demonstration city: the same roles in another district.
ELSEWHERE = {
    "dispatcher-elsewhere": Role.DISPATCHER,
    "supervisor-elsewhere": Role.SUPERVISOR,
}
#: To whom the case is foreign, one of each role that has somebody like that. An administrator sees all.
BLIND = {
    "officer-1": Role.OFFICER,
    "unit-water": Role.UNIT,
    "resident": Role.RESIDENT,
    "dispatcher-elsewhere": Role.DISPATCHER,
    "supervisor-elsewhere": Role.SUPERVISOR,
}
#: Who sees it, so that something other than sight must hold them back.
SEEING = {
    "unit-sanitation": Role.UNIT,
    "dispatcher": Role.DISPATCHER,
    "supervisor": Role.SUPERVISOR,
    "admin": Role.ADMIN,
}
DISTRICT = "wangxi"
POINT = Point(id="market-1", name_zh="老市场", place_type="market", area=DISTRICT, lon=110.061, lat=38.241)
#: Of those, one has a password.
KNOWN, PASSWORD = "dispatcher-elsewhere", "eleven rusty wheelbarrows"


@dataclass
class World:
    """`case` was reported by the supervisor in a district of nobody else's; it is late, and has a photo."""

    stack: Stack
    case: Json
    photo: str

    async def snapshot(self) -> Snapshot:
        found = await cases.get(self.stack.engines[0], self.case["id"])
        assert found is not None
        return found

    async def actor(self, user: str) -> Actor:
        found = await tokens.actor_for(self.stack.engines[0], self.stack.tokens[user], datetime.now(UTC))
        assert found is not None
        return found

    def leaks(self, text: str) -> list[str]:
        """What of the case stands in an answer."""
        return [mark for mark in (*MARKS.values(), self.case["id"], self.photo, str(FAR["lon"])) if mark in text]


async def built(stack: Stack) -> World:
    await _people(stack)
    photo = await stack.photo("supervisor", seed=90210)
    said = {key: value for key, value in MARKS.items() if key != "comment"}
    case = await stack.open("supervisor", location=FAR, evidence=[photo], **said)
    await stack.do("supervisor", case, "comment", text=MARKS["comment"])
    case = await stack.recorded(await stack.advance(case, "P9D"))
    assert case["overdue"]
    assert case["lead_unit"] == "sanitation"
    return World(stack, case, photo)


async def _people(stack: Stack) -> None:
    engine = stack.engines[0]
    people = [User(id=user, role=role, area=DISTRICT, name=user) for user, role in ELSEWHERE.items()]
    rows = [
        {"ordinal": 900 + n, **person.model_dump(exclude={"name"}), "data": person.model_dump_json()}
        for n, person in enumerate(people)
    ]
    async with writing(engine) as connection:
        await connection.execute(insert(engine, UserRow).on_conflict_do_nothing(), rows)
    await points.put(engine, [POINT])
    await passwords.put(engine, KNOWN, await cheap().hash(PASSWORD), must_change=False)
    for user in ELSEWHERE:
        stack.tokens[user] = await tokens.issue(engine, user)
