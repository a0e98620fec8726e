"""What is asked of a large read model: the lists, boards, searches and feeds that people and systems really open.

A question is a path and whose it is. Those that need something to hold on to (a case's number, a place deep in an
order) take it from the database, so that they mean the same at every size.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import create_engine, func, select
from sqlmodel import col

from store.database import sync_url
from store.tables import CaseRow, EventRow
from synth.cases import END

Fetch = Callable[["Question"], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Question:
    """`others`: paths that are each asked once too, in place of asking the first one again and again."""

    name: str
    user: str
    path: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A case from the middle of the archive, the event in the middle of the feed, and the last one."""

    case_id: str
    opened_at: str
    reference: str
    description: str
    middle: int
    last: int


_SUPERVISOR, _UNIT, _OFFICER, _DISPATCHER = "supervisor", "unit-sanitation", "officer-1", "dispatcher"
USERS = (_UNIT, "unit-city-mgmt-yunlan", _OFFICER, _DISPATCHER, _SUPERVISOR, "resident", "admin")
_OPEN = [("stage", each) for each in ("intake", "assignment", "rectification", "reinspection")]

#: By `GET /cases`, for the supervisor: each filter alone, then as people put them together.
FILTERS: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "stage open": _OPEN,
    "stage closure": [("stage", "closure")],
    "stage archived": [("stage", "archived")],
    "stage force_closed": [("stage", "force_closed")],
    "unit large": [("unit", "sanitation")],
    "unit small": [("unit", "gas")],
    "area district": [("area", "songquan")],
    "area grid": [("area", "minghu-1-1")],
    "category common": [("category", "E0135")],
    "category rare": [("category", "E0602")],
    "overdue yes": [("overdue", "true")],
    "overdue no": [("overdue", "false")],
    "recurrent yes": [("recurrent", "true")],
    "recurrent no": [("recurrent", "false")],
    "provisional yes": [("provisional", "true")],
    "provisional no": [("provisional", "false")],
    "level 1": [("level", "1")],
    "level 3": [("level", "3")],
    "level 5": [("level", "5")],
    "opened in a week": [
        ("opened_from", (END - timedelta(days=40)).isoformat()),
        ("opened_to", (END - timedelta(days=33)).isoformat()),
    ],
    "sort opened_at": [("sort", "opened_at")],
    "sort due_at": [("sort", "due_at")],
    "sort -due_at": [("sort", "-due_at")],
    "sort updated_at": [("sort", "updated_at")],
    "sort -updated_at": [("sort", "-updated_at")],
    "open + unit, by due_at": [*_OPEN, ("unit", "sanitation"), ("sort", "due_at")],
    "open + district, by due_at": [*_OPEN, ("area", "yunlan"), ("sort", "due_at")],
    "unit + overdue": [("unit", "sanitation"), ("overdue", "true")],
    "unit + its category": [("unit", "sanitation"), ("category", "E0135")],
    "unit + another's category": [("unit", "sanitation"), ("category", "E0111")],
    "unit, by updated_at": [("unit", "sanitation"), ("sort", "-updated_at")],
    "unit small, by updated_at": [("unit", "gas"), ("sort", "-updated_at")],
    "grid + category": [("area", "minghu-1-1"), ("category", "E0602")],
    "district + overdue + level 3": [("area", "wangxi"), ("overdue", "true"), ("level", "3")],
    "unit small + overdue": [("unit", "gas"), ("overdue", "true")],
    **{
        f"{mark} {said} + {where}": [(mark, asked), narrowed]
        for mark in ("recurrent", "provisional")
        for said, asked in (("yes", "true"), ("no", "false"))
        for where, narrowed in {"unit": ("unit", "sanitation"), "district": ("area", "wangxi")}.items()
    },
    "recurrent + unit small": [("recurrent", "true"), ("unit", "gas")],
    "provisional, by due_at": [("provisional", "true"), ("sort", "due_at")],
    "recurrent, by updated_at": [("recurrent", "true"), ("sort", "-updated_at")],
    "recurrent + provisional": [("recurrent", "true"), ("provisional", "true")],
    "recurrent + district + category": [("recurrent", "true"), ("area", "wangxi"), ("category", "E0135")],
    "closed + district, by updated_at": [("stage", "archived"), ("area", "wangxi"), ("sort", "-updated_at")],
}


#: Each in many cases: what is found out of one helps no other.
_COMMON = (
    *("街", "号", "口", "侧", "影响", "暴露", "生活", "道路", "不洁", "废弃", "家具", "设备", "积存", "渣土", "破损"),
    *("反映", "巡查", "发现", "市民", "来电", "网格", "上报", "市容", "异味", "安全", "隐患", "尽快", "处理", "整改"),
    *("街道", "东侧", "西侧", "南侧", "对面", "拐角", "人行", "绿化", "多次", "生活垃圾", "废弃家具", "存在安全隐患"),
)


def _texts(sample: Sample) -> dict[str, list[tuple[str, str]]]:
    return {
        "2 characters, common": [("q", "垃圾")],
        "2 characters, frequent": [("q", "通行")],
        "2 characters, some": [("q", "药房")],
        "2 characters, rare": [("q", "石敢")],
        "1 character, common": [("q", "路")],
        "1 character, rare": [("q", "锔")],
        "3 characters": [("q", "马蜂窝")],
        "no match": [("q", "鲸鱼搁浅")],
        "no match of common characters": [("q", "圾路")],
        "one digit": [("q", "7")],
        "phrase": [("q", sample.description[:24])],
        "case number": [("q", sample.case_id)],
        "part of a case number": [("q", sample.case_id[3:7].lower())],
        "reference": [("q", sample.reference)],
        "common + unit": [("q", "垃圾"), ("unit", "sanitation")],
        "common + district + overdue": [("q", "垃圾"), ("area", "wangxi"), ("overdue", "true")],
        "common + open": [("q", "垃圾"), *_OPEN],
        "rare + category": [("q", "马蜂窝"), ("category", "E0135")],
        "common, by due_at": [("q", "垃圾"), ("sort", "due_at")],
        "rare, by updated_at": [("q", "马蜂窝"), ("sort", "-updated_at")],
    }


def sample(url: str) -> Sample:
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        cases = connection.scalar(select(func.count()).select_from(CaseRow)) or 0
        last = connection.scalar(select(func.max(col(EventRow.position)))) or 0
        referred = (
            select(col(CaseRow.id), col(CaseRow.opened_at), col(CaseRow.external_ref), col(CaseRow.words))
            .where(col(CaseRow.external_ref).is_not(None))
            .order_by(col(CaseRow.opened_at), col(CaseRow.id))
        )
        found = connection.execute(referred.offset(cases // 8).limit(1)).one()
    engine.dispose()
    description = found.words.split("\n")[2]
    return Sample(found.id, found.opened_at.isoformat(), found.external_ref, description, last // 2, last)


def questions(known: Sample, fetch: Fetch) -> Iterator[Question]:
    for group in ("unit", "area", "category", "level"):
        yield _question(f"overdue by {group}", _SUPERVISOR, "overdue", [("group_by", group)])
    yield _question("overdue of a district", _SUPERVISOR, "overdue", [("area", "yunlan"), ("group_by", "area")])
    yield _question("overdue of a unit", _SUPERVISOR, "overdue", [("unit", "sanitation")])
    yield from (_question(f"tasks {user}", user, "tasks", []) for user in USERS)
    yield from (_question(f"cases {name}", _SUPERVISOR, "cases", asked) for name, asked in FILTERS.items())
    yield from (_question(f"cases of {user}", user, "cases", []) for user in USERS)
    yield from (_question(f"text {name}", _SUPERVISOR, "cases", asked) for name, asked in _texts(known).items())
    yield from (_question(f"text common, of {user}", user, "cases", [("q", "垃圾")]) for user in (_UNIT, _OFFICER))
    first, *rest = (_question("", _SUPERVISOR, "cases", [("q", word)]).path for word in _COMMON)
    yield Question("text common, each word for the first time", _SUPERVISOR, first, tuple(rest))
    yield from _deep(known, fetch)
    yield from (_question(f"notices of {user}", user, "notices", []) for user in USERS)
    yield from _late_notices(fetch)
    places = {"start": 0, "middle": known.middle, "end": known.last - 100}
    for user in (_SUPERVISOR, _UNIT, _OFFICER, "resident"):
        yield from (
            _question(f"feed {where} {user}", user, "events", [("after", str(at))]) for where, at in places.items()
        )


def _question(name: str, user: str, route: str, asked: list[tuple[str, str]]) -> Question:
    return Question(name, user, f"/api/v1/{route}?{urlencode(asked)}")


def _deep(known: Sample, fetch: Fetch) -> Iterator[Question]:
    """Later pages: the 10th and the 100th as one comes to them, and one from the middle of the archive."""
    for name, asked in {
        "cases": [],
        "text common": [("q", "垃圾")],
        "cases of a unit": [("unit", "sanitation")],
    }.items():
        cursors = list(_cursors(_SUPERVISOR, "cases", asked, fetch, 100))
        if not cursors:
            continue
        for page, cursor in {10: cursors[min(8, len(cursors) - 1)], 100: cursors[-1]}.items():
            yield _question(f"{name}, page {page}", _SUPERVISOR, "cases", [*asked, ("cursor", cursor)])
        middle = _moved(cursors[0], known)
        yield _question(f"{name}, page in the middle", _SUPERVISOR, "cases", [*asked, ("cursor", middle)])


def _late_notices(fetch: Fetch) -> Iterator[Question]:
    """The tenth page of what a unit has been told."""
    for cursor in list(_cursors(_UNIT, "notices", [], fetch, 10))[-1:]:
        yield _question(f"notices of {_UNIT}, page 10", _UNIT, "notices", [("cursor", cursor)])


def _cursors(user: str, route: str, asked: list[tuple[str, str]], fetch: Fetch, pages: int) -> Iterator[str]:
    cursor: object = None
    for _ in range(pages - 1):
        here = [*asked, ("cursor", str(cursor))] if cursor else asked
        cursor = fetch(_question("", user, route, here))["next_cursor"]
        if cursor is None:
            return
        yield str(cursor)


def _moved(cursor: str, known: Sample) -> str:
    """The cursor of the same list that stands at the known case."""
    digest, *_ = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    text = json.dumps([digest, known.opened_at, known.case_id])
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")
