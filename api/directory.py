"""The directory over HTTP: areas, units, users, points and routing, one record at a time; who changed what.

Changes are for administrators, each in his own area. They need what was seen last, as `If-Match`, and are felt by all
processes within seconds. Records are never deleted: they are retired, and can be restored.
"""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, create_model

from api import directory_views as v
from api.auth import Caller
from api.problems import RESPONSES, Problem, Unconditional
from api.publications import Admin
from api.reading import zone_of
from api.services import Injected
from directory.changes import Kind
from directory.model import Slug
from domain.actors import Actor, Role
from domain.errors import Forbidden, NotVisible, Stale
from domain.text import Name
from store import directory_changes as changes
from store import directory_records as records
from store.directory_records import Kept

router = APIRouter(prefix="/directory", tags=["directory"], responses=RESPONSES)

_READERS = frozenset({Role.ADMIN, Role.DISPATCHER, Role.SUPERVISOR})
_TAG = re.compile(r'"(\d{1,18})"')
_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "Changed meanwhile"},
    428: {"model": Problem, "description": "Read it first"},
}

Endpoint = Callable[..., Awaitable[Any]]
Put = Callable[[Injected, Actor, str, BaseModel, Response, str | None, str | None], Awaitable[Any]]
IfMatch = Annotated[str | None, Header(max_length=64, description="The `ETag` that was read.")]
IfNoneMatch = Annotated[str | None, Header(max_length=64, description="`*`: it must not be there yet.")]
RecordId = Annotated[Slug, Path(description="Lower-case letters, digits and hyphens; a user's is the login.")]
RowId = Annotated[Name, Path(description="The id of a routing row.")]


class _Part(NamedTuple):
    kind: Kind
    name: str
    id: Any
    body: type[BaseModel]
    view: type[BaseModel]
    wanted: type[v._Wanted]


_PARTS = (
    _Part(Kind.AREA, "areas", RecordId, v.AreaBody, v.AreaView, v.AreasWanted),
    _Part(Kind.UNIT, "units", RecordId, v.UnitBody, v.UnitView, v.UnitsWanted),
    _Part(Kind.USER, "users", RecordId, v.UserBody, v.UserView, v.UsersWanted),
    _Part(Kind.POINT, "points", RecordId, v.PointBody, v.PointView, v.PointsWanted),
    _Part(Kind.ROUTING, "routing", RowId, v.RoutingBody, v.RoutingView, v.RoutingWanted),
)
#: Of these officers and units get names to choose from.
_CHOOSABLE = frozenset({Kind.AREA, Kind.UNIT, Kind.POINT})


async def _reader(actor: Caller) -> Actor:
    if actor.role not in _READERS:
        raise Forbidden("role_forbidden", role=actor.role.value)
    return actor


async def _chooser(actor: Caller) -> Actor:
    return actor if actor.role in v.CHOOSERS else await _reader(actor)


async def _auditor(actor: Caller) -> Actor:
    if actor.role not in {Role.ADMIN, Role.SUPERVISOR}:
        raise Forbidden("role_forbidden", role=actor.role.value)
    return actor


Reader = Annotated[Actor, Depends(_reader)]
Chooser = Annotated[Actor, Depends(_chooser)]
Auditor = Annotated[Actor, Depends(_auditor)]


@router.get("", name="get_directory")
async def get_directory(services: Injected, _actor: Reader) -> v.DirectoryView:
    """The city, and how much of everything there is."""
    found = await records.summary(services.database)
    counts = {part.name: v.CountView(**found.counts[part.kind]._asdict()) for part in _PARTS}
    return v.DirectoryView(
        city_zh=found.city_zh, city_en=found.city_en, zone=found.zone, version=found.version, counts=counts
    )


@router.get("/changes", name="list_directory_changes")
async def list_changes(  # noqa: PLR0913, PLR0917 - one parameter for each part of the address
    services: Injected,
    actor: Auditor,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    record: Annotated[Name | None, Query(description="Only of this id.")] = None,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next_after` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows a page.")] = 50,
) -> v.ChangeList:
    """Who changed what, oldest first."""
    found = await records.log(services.database, kind, record, after, limit + 1)
    zone = await zone_of(services)
    items = [
        v.ChangeView.model_validate(
            each._asdict()
            | {"at": each.at.astimezone(zone)}
            | {name: v.told(json.loads(getattr(each, name)), actor) for name in ("before", "after")}
        )
        for each in found[:limit]
    ]
    return v.ChangeList(items=items, next_after=items[-1].id if len(found) > limit else None)


# --- one route of each sort for each kind ---


def _listing(part: _Part) -> Endpoint:
    page: Any = create_model(
        f"{part.view.__name__.removesuffix('View')}Page",
        __doc__="By id. `next_cursor` is null on the last page.",
        items=(list[part.view], ...),  # type: ignore[name-defined]  # made here
        next_cursor=(str | None, ...),
    )

    async def listing(services: Injected, actor: Reader, wanted: v._Wanted) -> Any:  # noqa: ANN401 - the page
        asked = wanted.filter()
        if actor.role in v.CHOOSERS and asked.retired:
            raise Forbidden("role_forbidden", role=actor.role.value)
        found = await records.listing(services.database, part.kind, asked, wanted.cursor, wanted.limit + 1)
        shown = found[: wanted.limit]
        items = [v.shown(each, actor, alone=False) for each in shown]
        return page(items=items, next_cursor=shown[-1].item.id if len(found) > wanted.limit else None)

    hints = {"wanted": Annotated[part.wanted, Query()], "return": page}
    listing.__annotations__ |= hints | ({"actor": Chooser} if part.kind in _CHOOSABLE else {})
    return listing


def _getting(part: _Part) -> Endpoint:
    async def getting(services: Injected, actor: Reader, record_id: str, response: Response) -> Any:  # noqa: ANN401 - the view
        kept = await records.get(services.database, part.kind, record_id)
        if kept is None:
            raise NotVisible("record_not_found")
        return _shown(part, kept, actor, response)

    getting.__annotations__ |= {"record_id": part.id, "return": part.view}
    return getting


def _putting(part: _Part) -> Endpoint:
    async def putting(  # noqa: PLR0913, PLR0917 - the request
        services: Injected,
        actor: Admin,
        record_id: str,
        body: BaseModel,
        response: Response,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Any:  # noqa: ANN401 - the view
        """Creates the record with `If-None-Match: *`, changes it with `If-Match`."""
        seen = None if if_none_match == "*" and if_match is None else _seen(if_match, record_id)
        before = None if seen is None else await records.get(services.database, part.kind, record_id)
        item = v.item_of(part.kind, record_id, body, before and before.item)
        kept = await changes.put(services.database, item, seen, actor, services.now())
        response.status_code = 201 if seen is None else 200
        return _shown(part, kept, actor, response)

    putting.__annotations__ |= {"record_id": part.id, "body": part.body, "return": part.view}
    return putting


def _ending(part: _Part, change: Callable[..., Awaitable[Kept]]) -> Endpoint:
    async def ending(
        services: Injected, actor: Admin, record_id: str, response: Response, if_match: IfMatch = None
    ) -> Any:  # noqa: ANN401 - the view
        seen = _seen(if_match, record_id)
        kept = await change(services.database, part.kind, record_id, seen, actor, services.now())
        return _shown(part, kept, actor, response)

    ending.__annotations__ |= {"record_id": part.id, "return": part.view}
    return ending


def _seen(if_match: str | None, name: str) -> int:
    """The revision in an `If-Match`. A `*` says nothing of what was seen."""
    if if_match is None or if_match.strip() == "*":
        raise Unconditional("if_match_required")
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise Stale("changed_since", given=name)
    return int(tag[1])


def _shown(part: _Part, kept: Kept, actor: Actor, response: Response) -> BaseModel:
    response.headers["ETag"] = f'"{kept.revision}"'
    return part.view.model_validate(v.shown(kept, actor, alone=True))


def _add(part: _Part) -> None:
    one, place = part.kind.value, f"/{part.name}/{{record_id}}"
    router.add_api_route(f"/{part.name}", _listing(part), methods=["GET"], name=f"list_{part.name}")
    router.add_api_route(place, _getting(part), methods=["GET"], name=f"get_{one}")
    router.add_api_route(place, _putting(part), methods=["PUT"], name=f"put_{one}", responses=_CONDITIONAL)
    for name, change in (("retire", changes.retire), ("restore", changes.restore)):
        way = {"methods": ["POST"], "name": f"{name}_{one}", "responses": _CONDITIONAL}
        router.add_api_route(f"{place}/{name}", _ending(part, change), **way)  # type: ignore[arg-type]  # of a dict


for _part in _PARTS:
    _add(_part)
