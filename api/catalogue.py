"""The catalogue of problems, for whoever reports: what there is to choose from, in the edition in force or another."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from api.auth import Caller
from api.problems import RESPONSES
from api.services import Injected
from directory.model import Category
from domain.errors import NotVisible
from store import catalogues
from store.catalogues import Edition

router = APIRouter(prefix="/catalogue", tags=["catalogue"], responses=RESPONSES)


class CatalogueView(BaseModel):
    """One edition. Of a category's conditions the first is meant where a report names none."""

    scheme: str
    version: int
    valid_from: datetime
    categories: tuple[Category, ...]


class EditionView(BaseModel):
    """`in_force`: cases are opened by it now."""

    scheme: str
    version: int
    valid_from: datetime
    published_at: datetime
    in_force: bool


class EditionList(BaseModel):
    items: list[EditionView]


@router.get(
    "",
    name="get_catalogue",
    response_model=CatalogueView,
    responses={304: {"description": "The caller has it already (`If-None-Match`)."}},
)
async def get_catalogue(
    services: Injected,
    _actor: Caller,
    version: Annotated[int | None, Query(description="Default: the edition in force.")] = None,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """What can be reported, with limits and closure conditions. Keep it with its `ETag` and ask with that."""
    directory = (await services.cities.get(services.now())).directory
    edition = directory.catalogue
    asked = edition.version if version is None else version
    etag = f'"{edition.scheme}-{asked}-{directory.version}"'  # ledgers that are imported add categories
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    valid_from, categories = edition.valid_from, directory.categories
    if asked != edition.version:
        kept = await catalogues.editions(services.database)
        other = next((each for each in kept if (each.scheme, each.version) == (edition.scheme, asked)), None)
        if other is None:
            raise NotVisible("edition_unknown", version=asked)
        valid_from, categories = other.valid_from, await catalogues.get(services.database, other.scheme, asked)
    shown = CatalogueView(
        scheme=edition.scheme,
        version=asked,
        valid_from=valid_from.astimezone(ZoneInfo(directory.zone)),
        categories=categories,
    )
    return Response(shown.model_dump_json(), media_type="application/json", headers={"ETag": etag})


@router.get("/editions", name="list_editions")
async def list_editions(services: Injected, _actor: Caller) -> EditionList:
    """All editions, the latest first; those of the days to come too."""
    directory = (await services.cities.get(services.now())).directory
    zone, current = ZoneInfo(directory.zone), directory.catalogue
    found = await catalogues.editions(services.database)
    return EditionList(items=[_edition(each, zone, (current.scheme, current.version)) for each in found])


def _edition(edition: Edition, zone: ZoneInfo, current: tuple[str, int]) -> EditionView:
    return EditionView(
        scheme=edition.scheme,
        version=edition.version,
        valid_from=edition.valid_from.astimezone(zone),
        published_at=edition.published_at.astimezone(zone),
        in_force=(edition.scheme, edition.version) == current,
    )
