"""Photos through the API: taken, refused, shown only to whom they concern, and never with what the camera wrote."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO

import pytest
from PIL import Image

from store.images import MAX_BYTES
from tests.api.answers import refused
from tests.support import photos
from tests.support.stack import LAT, LON, Stack

FORMATS: dict[str, Callable[..., bytes]] = {
    "image/jpeg": photos.jpeg,
    "image/png": photos.png,
    "image/webp": photos.webp,
    "image/heic": photos.heic,
}


class TestAPhoto:
    @pytest.mark.parametrize("kind", FORMATS)
    async def test_comes_back_without_what_the_camera_wrote(self, stack: Stack, kind: str) -> None:
        written = photos.exif(captured=datetime(2026, 3, 2, 8, 30), position=(LON, LAT), maker="SecretCam")  # noqa: DTZ001 - a camera has no zone
        answer = await stack.upload("officer-1", FORMATS[kind](photos.picture(800, 600), exif=written), kind)
        assert answer.status_code == 201, answer.text
        seen = answer.json()
        assert (seen["media_type"], seen["width"], seen["height"]) == (kind, 800, 600)
        assert datetime.fromisoformat(seen["captured_at"]) == datetime.fromisoformat("2026-03-02T08:30:00+08:00")
        assert (round(seen["captured_lon"], 4), round(seen["captured_lat"], 4)) == (round(LON, 4), round(LAT, 4))
        for variant, side in (("clean", 800), ("thumbnail", 480)):
            url = f"/evidence/{seen['sha256']}"
            shown = await stack.client("officer-1").get(url, params={"variant": variant})
            assert (shown.status_code, shown.headers["x-content-type-options"]) == (200, "nosniff")
            image = Image.open(BytesIO(shown.content))
            assert image.width == side
            assert shown.headers["content-type"] == Image.MIME[image.format or ""]
            assert not image.getexif()
            assert b"SecretCam" not in shown.content

    async def test_uploaded_twice_is_the_same(self, stack: Stack) -> None:
        first, second = [(await stack.upload(user, photos.photo(77))).json() for user in ("officer-1", "resident")]
        assert first == second

    async def test_is_seen_by_those_whom_its_case_concerns(self, stack: Stack) -> None:
        digest = await stack.photo("officer-1", seed=4711)

        async def seen_by(*users: str) -> list[int]:
            return [(await stack.client(user).get(f"/evidence/{digest}")).status_code for user in users]

        assert await seen_by("officer-1", "unit-sanitation", "supervisor") == [200, 404, 404]
        await stack.recorded(await stack.open(evidence=[digest]))
        assert await seen_by("officer-1", "officer-2", "unit-sanitation", "supervisor") == [200] * 4
        assert await seen_by("unit-roads", "resident") == [404, 404]

    async def test_is_not_there_or_not_yours_without_a_difference(self, stack: Stack) -> None:
        digest = await stack.photo("officer-1", seed=4712)
        for each in (digest, "0" * 64):
            refused(await stack.client("resident").get(f"/evidence/{each}"), 404, "evidence_not_found")

    @pytest.mark.parametrize(
        "path", ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/x", "ab" * 31 + "..", "A" * 64]
    )
    async def test_has_a_name_that_leads_nowhere_else(self, stack: Stack, path: str) -> None:
        answer = await stack.client("officer-1").get(f"/evidence/{path}")
        refused(answer, answer.status_code, "field_invalid" if answer.status_code == 422 else "not_found")
        assert answer.status_code in {404, 422}


BAD: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "evidence_empty"),
    "text": (b"not a picture at all", 422, "evidence_not_image"),
    "half a photo": (photos.jpeg(photos.picture(640, 480))[:2000], 422, "evidence_corrupt"),
    "another format": (b"GIF89a" + b"\x01\x00\x01\x00\x00\x00\x00;", 422, "evidence_unsupported_format"),
    "a bomb": (photos.png_bomb(), 422, "evidence_too_many_pixels"),
    "too large by a byte": (b"\xff\xd8" + bytes(MAX_BYTES - 1), 413, "evidence_too_large"),
    "much too large": (bytes(MAX_BYTES + 100_000), 413, "evidence_too_large"),
}


class TestWhatIsNoPhoto:
    @pytest.mark.parametrize("name", BAD)
    async def test_is_refused(self, stack: Stack, name: str) -> None:
        data, status, code = BAD[name]
        refused(await stack.upload("officer-1", data), status, code)
        headers = {"Accept-Language": "en"}
        english = await stack.client("officer-1").post("/evidence", files={"file": ("x", data)}, headers=headers)
        refused(english, status, code, lang="en")

    async def test_is_refused_unless_it_is_a_form_with_a_file(self, stack: Stack) -> None:
        client = stack.client("officer-1")
        refused(await client.post("/evidence", content=photos.photo()), 422, "evidence_not_multipart")
        refused(await client.post("/evidence", data={"file": "text"}), 422, "evidence_not_multipart")
        broken = {"Content-Type": "multipart/form-data"}
        refused(await client.post("/evidence", content=b"x", headers=broken), 422, "malformed_body")
        two = {"a": ("a", photos.photo(1)), "b": ("b", photos.photo(2))}
        refused(await client.post("/evidence", files=two), 422, "malformed_body")

    async def test_is_refused_from_strangers(self, stack: Stack) -> None:
        answer = await stack.client().post("/evidence", files={"file": ("x", photos.photo())})
        refused(answer, 401, "unauthenticated")
