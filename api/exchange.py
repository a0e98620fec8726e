"""The directory as files, for people who live in Excel: templates, export, and an import that is all or nothing.

For administrators of the whole city: a file says everything, and nobody reads a part of it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile

from api.problems import RESPONSES
from api.publications import Chief
from api.services import Injected, Services
from directory.positions import Datum
from domain.actors import Actor
from domain.errors import Conflict, Invalid, NotVisible, Unavailable
from exchange import writing
from exchange.apply import Result, bring_in, everything
from exchange.columns import TABLES, Table
from exchange.faults import Fault
from exchange.files import Source
from exchange.merging import Mode
from store.directory_bulk import Outdated

router = APIRouter(prefix="/directory", tags=["directory"], responses=RESPONSES)

#: Of all files of one import.
MAX_IMPORT = 50_000_000 + 64 * 1024
_MOST_FILES = 12
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA = {
    ".xlsx": _SHEET,
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
    ".geojson": "application/geo+json",
}
_ONE_AT_A_TIME = asyncio.Semaphore(1)

TableName = Literal[
    "city", "areas", "shapes", "units", "contacts", "users", "points", "categories", "conditions", "routing"
]
Format = Literal["xlsx", "csv", "geojson"]
Wanted = Annotated[list[TableName] | None, Query(description="All, unless named.", max_length=len(TABLES))]

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {kind.partition(";")[0]: _BINARY for kind in _MEDIA.values()}}
}


class ImportWanted(BaseModel):
    dry_run: bool = Field(default=False, description="Look at everything, write nothing.")
    mode: Mode = Field(Mode.MERGE, description="`replace`: what the sheets do not name is retired.")
    table: TableName | None = Field(None, description="What a CSV or GeoJSON file holds, where its name does not say.")
    datum: Datum | None = Field(None, description="Of positions that do not say theirs. WGS-84, unless given.")


class FaultView(BaseModel):
    """`row` as Excel counts, `column` its letter, `header` its name; null: it is the whole sheet, or file."""

    code: str
    sheet: str | None
    row: int | None
    column: str | None
    header: str | None
    value: str
    zh: str
    en: str


class ImportView(BaseModel):
    """`changes`: by sheet, how many of which action. The first thousand faults are listed; the count is complete.

    `version`: of the directory now, if anything was written.
    """

    sound: bool
    dry_run: bool
    rows: dict[str, int]
    changes: dict[str, dict[str, int]]
    faults_total: int
    faults: list[FaultView]
    warnings_total: int
    warnings: list[FaultView]
    version: int | None


@router.post("/import", name="import_directory", openapi_extra=_UPLOAD)
async def take_in(
    services: Injected, actor: Chief, request: Request, wanted: Annotated[ImportWanted, Query()]
) -> ImportView:
    """Workbooks, CSV, ZIPs of CSV and GeoJSON, 50 MB together. With a fault in it nothing is changed: 422 says each."""
    if _ONE_AT_A_TIME.locked():
        raise Unavailable("import_running")
    async with _ONE_AT_A_TIME, _uploaded(request, TABLES.get(wanted.table or "")) as sources:
        result = await _brought_in(services, actor, wanted, sources)
    view = _view(result, dry_run=wanted.dry_run)
    if not (result.report.sound or wanted.dry_run):
        raise Invalid("import_refused", total=result.report.faults.total, **view.model_dump(exclude={"dry_run"}))
    return view


async def _brought_in(services: Services, actor: Actor, wanted: ImportWanted, sources: list[Source]) -> Result:
    try:
        return await bring_in(
            services.database,
            sources,
            mode=wanted.mode,
            dry_run=wanted.dry_run,
            by=actor.user,
            now=services.now(),
            datum=wanted.datum,
        )
    except Outdated:
        raise Conflict("directory_changed") from None


@router.get("/export", name="export_directory", response_class=FileResponse, responses=_FILE)
async def export(
    services: Injected,
    actor: Chief,  # noqa: ARG001 - it is who may
    tables: Wanted = None,
    format: Format = "xlsx",  # noqa: A002 - the parameter's name
) -> FileResponse:
    """All of it, or some tables: a workbook; CSV (several tables: in a ZIP); areas or points as GeoJSON, in WGS-84."""
    before = await everything(services.database)
    if before.directory is None:
        raise NotVisible("no_directory")
    chosen = [TABLES[name] for name in tables or (("areas",) if format == "geojson" else TABLES)]
    if format == "geojson" and {table.name for table in chosen} not in ({"areas"}, {"points"}):
        raise Invalid("not_as_geojson")
    suffix = {"csv": ".csv" if len(chosen) == 1 else ".zip"}.get(format, f".{format}")
    path = _place(suffix)
    await asyncio.to_thread(writing.write, path, chosen, before.directory, list(before.points.values()))
    return _sent(path, f"directory-{before.directory.version}{suffix}")


@router.get("/templates", name="get_template", response_class=FileResponse, responses=_FILE)
async def template(services: Injected, actor: Chief, tables: Wanted = None) -> FileResponse:  # noqa: ARG001 - likewise
    """An empty workbook with lists to choose from, and a sheet that explains each column by an example."""
    path = _place(".xlsx")
    await asyncio.to_thread(writing.template, path, [TABLES[name] for name in tables or TABLES])
    return _sent(path, "template.xlsx")


def _place(suffix: str) -> Path:
    return Path(tempfile.mkdtemp(prefix="rectify-")) / f"file{suffix}"


def _sent(path: Path, name: str) -> FileResponse:
    """Deleted once it is sent, whatever became of it."""
    gone = BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=_MEDIA[path.suffix], filename=name, headers=headers, background=gone)


@asynccontextmanager
async def _uploaded(request: Request, table: Table | None) -> AsyncIterator[list[Source]]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Invalid("import_not_multipart", most=_MOST_FILES)
    with _folder() as folder:
        sources: list[Source] = []
        async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES) as form:
            for _, part in form.multi_items():
                if isinstance(part, UploadFile):
                    path = folder / str(len(sources))
                    await asyncio.to_thread(_keep, part, path)
                    sources.append(Source(path, part.filename or "file", table))
        if not sources:
            raise Invalid("import_not_multipart", most=_MOST_FILES)
        yield sources


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rectify-") as name:
        yield Path(name)


def _keep(part: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(part.file, file)


def _view(result: Result, *, dry_run: bool) -> ImportView:
    report = result.report
    return ImportView(
        sound=report.sound,
        dry_run=dry_run,
        rows=result.rows,
        changes=result.counts,
        faults_total=report.faults.total,
        faults=[_fault_view(each) for each in report.faults.listed],
        warnings_total=report.warnings.total,
        warnings=[_fault_view(each) for each in report.warnings.listed],
        version=result.version,
    )


def _fault_view(fault: Fault) -> FaultView:
    place = fault.place
    return FaultView(
        code=fault.code,
        sheet=place.sheet,
        row=place.row,
        column=place.letter,
        header=place.header,
        value=fault.value,
        zh=fault.zh,
        en=fault.en,
    )
