"""Photos: taken in whole, judged by content, shown without what the camera wrote into them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from api.auth import Caller
from api.problems import RESPONSES
from api.services import Injected
from domain.errors import Invalid, NotVisible
from store import evidence_index
from store.evidence import SUFFIXES, media_type
from store.images import MAX_BYTES, EvidenceRejected

router = APIRouter(prefix="/evidence", tags=["evidence"], responses=RESPONSES)

#: What a multipart body may add to the photo itself.
MULTIPART_OVERHEAD = 64 * 1024
MAX_UPLOAD = MAX_BYTES + MULTIPART_OVERHEAD

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


class EvidenceView(BaseModel):
    """`sha256` names the photo in commands. Capture time and position are what the camera claims."""

    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    captured_at: datetime | None
    captured_lon: float | None
    captured_lat: float | None


@router.post("", status_code=201, name="upload_evidence", openapi_extra=_UPLOAD)
async def upload(services: Injected, actor: Caller, request: Request) -> EvidenceView:
    """One photo (JPEG, PNG, WebP, HEIC; 15 MB at most) as the first file of a multipart form. Repeating is harmless."""
    data = await _first_file(request)
    meta = await services.photos.put(data)
    await evidence_index.add(services.database, meta, actor.user, datetime.now(UTC))
    return EvidenceView.model_validate(meta, from_attributes=True)


async def _first_file(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Invalid("evidence_not_multipart")
    async with request.form(max_files=1, max_fields=8) as form:
        for part in form.values():
            if isinstance(part, UploadFile):
                data = await part.read(MAX_BYTES + 1)
                if len(data) > MAX_BYTES:
                    raise EvidenceRejected("evidence_too_large", max_bytes=MAX_BYTES)
                return data
    raise Invalid("evidence_not_multipart")


_PHOTO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The photo.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES},
    }
}


@router.get("/{sha256}", name="get_evidence", response_class=FileResponse, responses=_PHOTO)
async def show(
    services: Injected,
    actor: Caller,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    variant: Annotated[Literal["clean", "thumbnail"], Query(description="`thumbnail`: 480 pixels at most.")] = "clean",
) -> FileResponse:
    """The photo without metadata, for its uploader and for whoever may see a case that refers to it."""
    path = services.photos.open(sha256, variant)
    if path is None or not await evidence_index.viewable(services.database, actor, sha256):
        raise NotVisible("evidence_not_found")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=media_type(path), headers=headers)
