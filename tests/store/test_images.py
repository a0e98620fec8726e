"""What is taken as a photo, what is refused, and what of it reaches a viewer."""

import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from store.images import MAX_BYTES, MAX_SCANS, EvidenceRejected, Photo, inspect
from tests.support import photos

MAKERS: dict[str, Callable[..., bytes]] = {
    "image/jpeg": photos.jpeg,
    "image/png": photos.png,
    "image/webp": photos.webp,
    "image/heic": photos.heic,
}
EVERY_FORMAT = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())

INITIALS: dict[tuple[int, ...], str] = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 0): "Y"}


def refusal(data: bytes) -> EvidenceRejected:
    with pytest.raises(EvidenceRejected) as caught:
        inspect(data)
    return caught.value


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def corners(image: Image.Image) -> str:
    """Initials of the colours top left, top right, bottom left, bottom right."""
    right, bottom = image.width - 3, image.height - 3
    picked = (image.convert("RGB").getpixel(at) for at in ((2, 2), (right, 2), (2, bottom), (right, bottom)))
    return "".join(INITIALS.get(_bright(pixel), "?") for pixel in picked)


def _bright(pixel: object) -> tuple[int, ...]:
    assert isinstance(pixel, tuple)
    return tuple(int(channel > 125) for channel in pixel)


class TestAnAcceptedPhoto:
    @pytest.mark.parametrize(("media_type", "make"), MAKERS.items())
    def test_is_described_by_its_original_bytes(self, media_type: str, make: Callable[..., bytes]) -> None:
        data = make()
        meta = inspect(data).meta
        assert meta.media_type == media_type
        assert meta.sha256 == sha256(data).hexdigest()
        assert meta.size == len(data)
        assert (meta.width, meta.height) == (64, 48)
        assert (meta.captured_at, meta.captured_lon, meta.captured_lat) == (None, None, None)

    @EVERY_FORMAT
    def test_gives_a_clean_jpeg_and_a_thumbnail_of_the_same_picture(self, make: Callable[..., bytes]) -> None:
        photo = inspect(make())
        assert photo.clean_type == "image/jpeg"
        for copy in (photo.clean, photo.thumbnail):
            assert opened(copy).format == "JPEG"
            assert corners(opened(copy)) == "RGBY"

    def test_is_shrunk_to_fit_a_screen_but_described_at_full_size(self) -> None:
        photo = inspect(photos.jpeg(photos.picture(5000, 1000)))
        assert (photo.meta.width, photo.meta.height) == (5000, 1000)
        assert opened(photo.clean).size == (4096, 819)
        assert opened(photo.thumbnail).size == (480, 96)

    def test_of_extreme_shape_keeps_at_least_one_pixel_each_way(self) -> None:
        assert opened(inspect(photos.png(photos.picture(6000, 1))).thumbnail).size == (480, 1)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
    def test_of_any_png_colour_mode_becomes_a_jpeg_when_opaque(self, mode: str) -> None:
        clean = opened(inspect(photos.png(photos.picture(mode=mode))).clean)
        assert (clean.format, clean.mode, clean.size) == ("JPEG", "RGB", (64, 48))

    def test_of_sixteen_bits_keeps_its_brightness(self) -> None:
        deep = Image.new("I;16", (16, 16), 200 * 256)
        assert opened(inspect(photos.png(deep)).clean).getpixel((8, 8)) == pytest.approx((200, 200, 200), abs=2)

    def test_in_print_colours_keeps_them(self) -> None:
        clean = opened(inspect(photos.jpeg(photos.picture(mode="CMYK"))).clean)
        assert corners(clean) == "RGBY"

    @pytest.mark.parametrize("make", [photos.png, photos.webp, photos.heic])
    def test_with_holes_becomes_a_png_and_its_thumbnail_lies_on_white(self, make: Callable[..., bytes]) -> None:
        image = photos.picture(mode="RGBA")
        image.paste((0, 0, 0, 0), (0, 0, 32, 24))
        photo = inspect(make(image))
        assert photo.clean_type == "image/png"
        assert opened(photo.clean).mode == "RGBA"
        assert opened(photo.thumbnail).getpixel((4, 4)) == pytest.approx((255, 255, 255), abs=6)

    def test_may_carry_a_film_behind_it_as_telephones_do(self) -> None:
        photo = inspect(photos.jpeg() + b"\0\0\0\x18ftypmp42" + b"film" * 100)
        assert b"film" not in photo.clean

    def test_is_decoded_in_many_threads_at_once_with_the_same_result(self) -> None:
        data = photos.heic()
        start = threading.Barrier(4)

        def decode(_: int) -> Photo:
            start.wait()
            return inspect(data)

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(decode, range(4)))) == 1

    def test_leaves_the_formats_that_pillow_knows_as_they_were(self) -> None:
        inspect(photos.heic())
        assert "HEIF" not in Image.OPEN


class TestTheUprightPicture:
    @pytest.mark.parametrize("turn", ["1RGBY", "2GRYB", "3YBGR", "4BYRG", "5RBGY", "6BRYG", "7YGBR", "8GYRB"])
    @EVERY_FORMAT
    def test_is_turned_as_the_camera_was_held(self, make: Callable[..., bytes], turn: str) -> None:
        photo = inspect(make(exif=photos.exif(orientation=int(turn[0]))))
        clean = opened(photo.clean)
        assert corners(clean) == corners(opened(photo.thumbnail)) == turn[1:]
        assert clean.size == (photo.meta.width, photo.meta.height) == ((64, 48) if turn[0] < "5" else (48, 64))

    @pytest.mark.parametrize("orientation", [0, 9, 65535])
    def test_stays_as_it_is_when_the_orientation_is_nonsense(self, orientation: int) -> None:
        assert corners(opened(inspect(photos.jpeg(exif=photos.exif(orientation=orientation))).clean)) == "RGBY"


class TestTheCleanCopy:
    @EVERY_FORMAT
    def test_has_no_exif(self, make: Callable[..., bytes]) -> None:
        data = make(
            exif=photos.exif(
                captured=datetime(2026, 10, 1, 9, 30),  # noqa: DTZ001 - a camera's clock has no zone
                position=(117.2272, 31.8206),
                maker="SECRETMAKER",
            )
        )
        assert b"SECRETMAKER" in data
        photo = inspect(data)
        for copy in (photo.clean, photo.thumbnail):
            assert not dict(opened(copy).getexif())
            for trace in (b"SECRETMAKER", b"Exif", b"2026:10:01", b"http://ns.adobe.com"):
                assert trace not in copy

    def test_has_no_comment_profile_or_xmp_of_a_jpeg(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        data = photos.jpeg(comment=b"SECRETNOTE", icc_profile=profile, xmp=b"<x:xmpmeta SECRETNOTE/>")
        clean = inspect(data).clean
        assert data.count(b"SECRETNOTE") == 2
        assert b"SECRETNOTE" not in clean
        assert b"ICC_PROFILE" not in clean
        assert set(opened(clean).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}

    def test_has_no_text_or_profile_of_a_png(self) -> None:
        notes = PngInfo()
        notes.add_text("Author", "SECRETNOTE")
        notes.add_text("Comment", "SECRETNOTE", zip=True)
        image = photos.picture(mode="RGBA")
        image.putalpha(100)
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        clean = inspect(photos.png(image, pnginfo=notes, icc_profile=profile)).clean
        assert opened(clean).info == {}
        for chunk in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf"):
            assert chunk not in clean


class TestTheCaptureTime:
    @EVERY_FORMAT
    def test_without_an_offset_is_local_time_of_the_zone(self, make: Callable[..., bytes]) -> None:
        data = make(exif=photos.exif(captured="2026:10:01 09:30:00"))
        assert inspect(data).meta.captured_at == datetime(2026, 10, 1, 1, 30, tzinfo=UTC)
        assert inspect(data, zone="Europe/Berlin").meta.captured_at == datetime(2026, 10, 1, 7, 30, tzinfo=UTC)

    @pytest.mark.parametrize(("offset", "hour"), [("+06:00", 3), ("-02:30", 12), ("+00:00", 9), ("+0600", 3)])
    def test_with_an_offset_needs_no_zone(self, offset: str, hour: int) -> None:
        meta = inspect(photos.jpeg(exif=photos.exif(captured="2026:10:01 09:30:00", offset=offset))).meta
        assert meta.captured_at is not None
        assert meta.captured_at.tzinfo is UTC
        assert meta.captured_at.hour == hour

    @pytest.mark.parametrize("offset", ["", "   :  ", "+8", "+99:00", "Z8", "七点"])
    def test_with_a_senseless_offset_is_local_time_or_unknown(self, offset: str) -> None:
        meta = inspect(photos.jpeg(exif=photos.exif(captured="2026:10:01 09:30:00", offset=offset))).meta
        assert meta.captured_at in {datetime(2026, 10, 1, 1, 30, tzinfo=UTC), None}

    @pytest.mark.parametrize(
        "stamp",
        [
            "0000:00:00 00:00:00",
            "    :  :     :  :  ",
            "",
            "yesterday",
            "2026:02:30 00:00:00",
            "0001:01:01 00:00:00",
        ],
    )
    def test_that_is_no_time_is_unknown(self, stamp: str) -> None:
        assert inspect(photos.jpeg(exif=photos.exif(captured=stamp))).meta.captured_at is None


class TestTheCapturePosition:
    @pytest.mark.parametrize(
        "position", [(117.2272, 31.8206), (-70.6693, -33.4489), (180.0, 90.0), (0.0, 51.4779), (117.0, 0.0)]
    )
    @EVERY_FORMAT
    def test_is_kept_in_degrees(self, make: Callable[..., bytes], position: tuple[float, float]) -> None:
        meta = inspect(make(exif=photos.exif(position=position))).meta
        assert (meta.captured_lon, meta.captured_lat) == pytest.approx(position, abs=1e-6)

    @pytest.mark.parametrize(
        ("lon", "lat", "lon_ref", "lat_ref"),
        [
            pytest.param([(181, 1), (0, 1), (0, 1)], [(31, 1), (0, 1), (0, 1)], "E", "N", id="too far east"),
            pytest.param([(117, 1), (0, 1), (0, 1)], [(90, 1), (0, 1), (1, 1)], "E", "N", id="beyond the pole"),
            pytest.param([(117, 1), (60, 1), (0, 1)], [(31, 1), (0, 1), (0, 1)], "E", "N", id="sixty minutes"),
            pytest.param([(117, 0), (0, 1), (0, 1)], [(31, 1), (0, 1), (0, 1)], "E", "N", id="over zero"),
            pytest.param([(0, 0), (0, 0), (0, 0)], [(0, 0), (0, 0), (0, 0)], "E", "N", id="all zero over zero"),
            pytest.param([(0, 1), (0, 1), (0, 1)], [(0, 1), (0, 1), (0, 1)], "E", "N", id="no fix"),
            pytest.param([(117, 1), (0, 1)], [(31, 1), (0, 1)], "E", "N", id="two parts"),
            pytest.param([(117, 1), (0, 1), (0, 1)], [(31, 1), (0, 1), (0, 1)], "X", "N", id="no such side"),
            pytest.param([(117, 1), (0, 1), (0, 1)], [(31, 1), (0, 1), (0, 1)], "", "", id="no side"),
        ],
    )
    def test_that_is_nowhere_is_unknown(
        self, lon: list[tuple[int, int]], lat: list[tuple[int, int]], lon_ref: str, lat_ref: str
    ) -> None:
        meta = inspect(photos.jpeg(exif=photos.exif_with_gps(lon, lat, lon_ref, lat_ref))).meta
        assert (meta.captured_lon, meta.captured_lat) == (None, None)


class TestGarbageInExif:
    GARBAGE = (
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\0\0\0\x01" * 3,
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x25\x88\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0",  # GPS is its own parent
        b"Exif\0\0" + bytes(range(256)),
    )

    @pytest.mark.parametrize("garbage", GARBAGE)
    @EVERY_FORMAT
    def test_never_costs_the_photo(self, make: Callable[..., bytes], garbage: bytes) -> None:
        assert inspect(make(exif=garbage)).meta.captured_lon is None

    @settings(max_examples=60, deadline=None)
    @given(noise=st.binary(max_size=12), at=st.integers(6, 200))
    def test_of_any_kind_never_costs_the_photo(self, noise: bytes, at: int) -> None:
        sound = photos.exif(captured="2026:10:01 09:30:00", position=(117.2, 31.8), orientation=6)
        spoilt = sound[:at] + noise + sound[at + len(noise) :]
        assert inspect(photos.jpeg(exif=spoilt)).meta.media_type == "image/jpeg"

    @pytest.fixture(autouse=True)
    def quiet(self) -> Iterator[None]:
        """Pillow warns of what it skips; as an error the first warning would hide what comes after it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


class TestRefusal:
    def test_of_nothing(self) -> None:
        assert refusal(b"").code == "evidence_empty"

    def test_of_too_many_bytes_says_how_many_are_allowed(self) -> None:
        rejected = refusal(photos.jpeg() + bytes(MAX_BYTES))
        assert (rejected.code, rejected.params) == ("evidence_too_large", {"max_bytes": 15 * 1024 * 1024})

    def test_does_not_meet_a_photo_of_exactly_the_limit(self) -> None:
        photo = photos.jpeg()
        assert inspect(photo + bytes(MAX_BYTES - len(photo))).meta.size == MAX_BYTES

    @pytest.mark.parametrize(
        "data",
        [
            b"hello",
            b"%PDF-1.7\n",
            b"\0" * 100,
            b"PK\x03\x04zip",
            b"\0\0\0\x18ftypmp42\0\0\0\0isom",
            b"<html></html>",
        ],
    )
    def test_of_what_is_no_image(self, data: bytes) -> None:
        assert refusal(data).code == "evidence_not_image"

    @pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "ICO", "JPEG2000", "AVIF"])
    def test_of_other_formats_names_them(self, kind: str) -> None:
        out = BytesIO()
        photos.picture().save(out, kind)
        rejected = refusal(out.getvalue())
        assert rejected.code == "evidence_unsupported_format"
        assert str(rejected.params["format"]).replace(" ", "") == kind

    @pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>\n', "\ufeff<!-- drawn -->\n"])
    def test_of_svg(self, head: str) -> None:
        rejected = refusal(f'{head}<svg xmlns="http://www.w3.org/2000/svg"/>'.encode())
        assert rejected.params["format"] == "SVG"

    @pytest.mark.parametrize("make", [photos.png, photos.webp])
    def test_of_an_animation(self, make: Callable[..., bytes]) -> None:
        rejected = refusal(make(save_all=True, append_images=[photos.picture().rotate(180)], duration=100))
        assert rejected.code == "evidence_unsupported_format"
        assert rejected.params["format"] == "animation"

    def test_of_a_decompression_bomb_without_unpacking_it(self) -> None:
        bomb = photos.png_bomb()
        rejected = refusal(bomb)
        assert len(bomb) < 10_000
        assert rejected.code == "evidence_too_many_pixels"
        assert (rejected.params["width"], rejected.params["height"]) == (50_000, 50_000)

    @pytest.mark.parametrize(("width", "height"), [(8193, 6400), (20_001, 1), (1, 20_001), (2**31 - 1, 2**31 - 1)])
    def test_of_absurd_dimensions(self, width: int, height: int) -> None:
        assert refusal(photos.png_bomb(width, height)).code == "evidence_too_many_pixels"

    def test_of_a_vast_webp(self) -> None:
        canvas = (16_383 - 1).to_bytes(3, "little") * 2
        still = photos.webp(lossless=True)
        body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + canvas + still[12:]
        assert refusal(b"RIFF" + len(body).to_bytes(4, "little") + body).code == "evidence_too_many_pixels"

    def test_of_a_jpeg_that_redraws_itself_without_end(self) -> None:
        data = photos.jpeg(progressive=True)
        scan = data[data.rindex(b"\xff\xda") : -2]
        assert inspect(data[:-2] + scan * 10 + data[-2:]).meta.width == 64
        assert refusal(data[:-2] + scan * MAX_SCANS + data[-2:]).code == "evidence_corrupt"

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
    @EVERY_FORMAT
    def test_of_a_photo_that_was_cut_short(self, make: Callable[..., bytes], share: float) -> None:
        data = make(photos.picture(200, 150))
        rejected = refusal(data[: int(len(data) * share)])
        assert rejected.code == "evidence_corrupt"

    def test_of_a_png_with_a_flipped_bit(self) -> None:
        data = bytearray(photos.png())
        data[data.index(b"IDAT") + 20] ^= 1
        assert refusal(bytes(data)).code == "evidence_corrupt"

    @pytest.mark.parametrize("head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8 "])
    def test_of_a_head_without_a_body(self, head: bytes) -> None:
        assert refusal(head + b"not really").code == "evidence_corrupt"


class TestAnyBytes:
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=400))
    def test_are_a_photo_or_refused(self, data: bytes) -> None:
        assert _verdict(data)

    @settings(max_examples=120, deadline=None)
    @given(make=st.sampled_from(sorted(MAKERS)), at=st.integers(0, 2000), noise=st.binary(min_size=1, max_size=8))
    def test_that_were_a_photo_and_got_spoilt_are_a_photo_or_refused(self, make: str, at: int, noise: bytes) -> None:
        data = SOUND[make]
        at %= len(data)
        assert _verdict(data[:at] + noise + data[at + len(noise) :])


SOUND = {media_type: make(exif=photos.exif(position=(117.2, 31.8))) for media_type, make in MAKERS.items()}


def _verdict(data: bytes) -> str:
    """Anything but an acceptance or a refusal fails the test that asks."""
    try:
        return inspect(data).meta.media_type
    except EvidenceRejected as rejected:
        return rejected.code
