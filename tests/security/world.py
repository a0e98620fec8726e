"""A case full of marks, records of the directory, and everybody to whom they are foreign: each role, elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from directory.demo_city import demo_directory
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
    "admin-elsewhere": Role.ADMIN,
}
#: To whom the case is foreign, one of each role that has somebody like that.
BLIND = {
    "officer-1": Role.OFFICER,
    "unit-water": Role.UNIT,
    "resident": Role.RESIDENT,
    "dispatcher-elsewhere": Role.DISPATCHER,
    "supervisor-elsewhere": Role.SUPERVISOR,
}
#: Who sees it, so that something other than sight must hold them back. Administrators see every case, also those who
#: administer only a district.
SEEING = {
    "unit-sanitation": Role.UNIT,
    "dispatcher": Role.DISPATCHER,
    "supervisor": Role.SUPERVISOR,
    "admin": Role.ADMIN,
    "admin-elsewhere": Role.ADMIN,
}
DISTRICT = "wangxi"
POINT = Point(id="market-1", name_zh="老市场", place_type="market", area="songquan", lon=110.061, lat=38.241)
#: By kind: the part of the address, the id of one that is there, the body of a new one. None lies in that district.
RECORDS: Mapping[str, tuple[str, str, Json]] = {
    "area": ("areas", "qingshi", {"level": "grid", "name_zh": "无", "parent": "qingshi-1"}),
    "unit": ("units", "roads", {"name_zh": "无", "area": "qinghe"}),
    "user": ("users", "officer-1", {"name": "无", "role": "resident"}),
    "point": (
        "points",
        POINT.id,
        {"name_zh": "无", "place_type": "market", "area": "qingshi", "lon": 110, "lat": 38},
    ),
    "routing": ("routing", demo_directory().routing[0].id, {"unit": "roads"}),
}
NEW = {"If-None-Match": "*"}
#: Of those, one has a password.
KNOWN, PASSWORD = "dispatcher-elsewhere", "eleven rusty wheelbarrows"


@dataclass
class World:
    """`case` was reported by the supervisor in a district of nobody else's; it is late, and has a photo.

    `tags`: how each record of `RECORDS` was seen last, and one of each kind that is retired.
    """

    stack: Stack
    case: Json
    photo: str
    tags: Mapping[str, str]

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
    return World(stack, case, photo, await _records(stack))


def gone(kind: str) -> str:
    """The id of one that is retired."""
    return f"gone-{kind}"


async def _records(stack: Stack) -> dict[str, str]:
    tags, admin = {}, stack.client("admin")
    for kind, (part, there, body) in RECORDS.items():
        at = f"/directory/{part}/{gone(kind)}"
        made = await admin.put(at, json=body, headers=NEW)
        ended = await admin.post(f"{at}/retire", headers={"If-Match": made.headers["etag"]})
        tags[gone(kind)] = ended.headers["etag"]
        tags[there] = (await admin.get(f"/directory/{part}/{there}")).headers["etag"]
    return tags


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
