"""Turns the bytes of an upload into a photo that is safe to keep and to show, or refuses it.

The content alone decides: file names and declared types are never asked for. Nothing here touches the disk,
the network or Pillow's registry of formats, so threads may run `inspect` side by side; each needs up to four
bytes per pixel, twice, and it is the caller who limits how many there are.

What a viewer gets is drawn anew from the pixels, so that no EXIF, XMP, comment, colour profile, embedded
preview or appended file can travel with it. Wide-gamut pictures look a little paler without their profile.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from io import BytesIO
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile
from pydantic import BaseModel

MAX_BYTES = 15 * 1024 * 1024
# "50 megapixel" telephones deliver 8192 × 6144, which has to fit.
MAX_PIXELS = 50 * 1024 * 1024
MAX_SIDE = 20_000
# Encoders write about ten.
MAX_SCANS = 100
CLEAN_SIDE = 4096
THUMBNAIL_SIDE = 480
DEFAULT_ZONE = "Asia/Shanghai"


class EvidenceRejected(ValueError):
    """The upload cannot serve as evidence.

    `code` is one of evidence_empty, evidence_too_large, evidence_not_image, evidence_unsupported_format,
    evidence_too_many_pixels, evidence_corrupt; `params` holds what a sentence about it needs.
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, object] = params


class EvidenceMeta(BaseModel, frozen=True):
    """What is known of a photo. All but the digest, the size and the type is the camera's claim, not a fact.

    `sha256` and `size` (bytes) are those of the upload as it came; `width` and `height` those of the upright
    picture at full size; `captured_at` is in UTC; the position is in WGS-84 degrees, both or neither.
    """

    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    clean_type: str = "image/jpeg"
    captured_at: datetime | None = None
    captured_lon: float | None = None
    captured_lat: float | None = None


@dataclass(frozen=True)
class Photo:
    """`clean` is the upright picture without metadata, CLEAN_SIDE at most; `thumbnail` a small JPEG of it."""

    meta: EvidenceMeta
    clean: bytes
    thumbnail: bytes

    @property
    def clean_type(self) -> str:
        return self.meta.clean_type


def inspect(data: bytes, *, zone: str = DEFAULT_ZONE) -> Photo:
    """Decode every pixel of `data`; raise EvidenceRejected unless it is a sound photo.

    `zone` is where the camera is taken to have been when it wrote local time without an offset.
    """
    check_size(len(data))
    media_type = sniff(data)
    image = _decode(data, media_type)
    exif = _Exif(image)
    transpose = None if media_type == "image/heic" else _TRANSPOSE.get(exif.orientation)
    width, height = image.size[::-1] if transpose in _QUARTER_TURNS else image.size
    clean = _upright(image, transpose)
    opaque = clean.mode == "RGB"
    lon, lat = exif.position() or (None, None)
    meta = EvidenceMeta(
        sha256=sha256(data).hexdigest(),
        media_type=media_type,
        size=len(data),
        width=width,
        height=height,
        clean_type="image/jpeg" if opaque else "image/png",
        captured_at=exif.captured_at(ZoneInfo(zone)),
        captured_lon=lon,
        captured_lat=lat,
    )
    return Photo(meta, _jpeg(clean) if opaque else _png(clean), _thumbnail(clean))


def check_size(size: int) -> None:
    """Refuse on the number of bytes alone, so that a reader of a stream may stop early."""
    if size == 0:
        raise EvidenceRejected("evidence_empty")
    if size > MAX_BYTES:
        raise EvidenceRejected("evidence_too_large", max_bytes=MAX_BYTES)


# --- Which format ----------------------------------------------------------------------------------


class _Jpeg(JpegImageFile):
    def _read_dpi_from_exif(self) -> None:
        """Not wanted, and it would parse EXIF, with its warnings, before a pixel has been seen."""


_READERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "image/jpeg": _Jpeg,
    "image/png": PngImageFile,
    "image/webp": WebPImageFile,
    "image/heic": HeifImageFile,
}

_ACCEPTED_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)

_KNOWN_SIGNATURES = (
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"II\x2a\x00|MM\x00\x2a|II\x2b\x00|MM\x00\x2b"), "TIFF"),
    (re.compile(rb"BM.{4}\x00\x00\x00\x00", re.DOTALL), "BMP"),
    (re.compile(rb"\x00\x00[\x01\x02]\x00[^\x00]\x00", re.DOTALL), "ICO"),
    (re.compile(rb"8BPS\x00"), "PSD"),
    (re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"\x00\x00\x00\x0cJXL |\xff\x0a"), "JPEG XL"),
    (re.compile(rb"[^\x00]*<svg[\s>]", re.IGNORECASE), "SVG"),
)

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_OTHER_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"hevc": "HEIF sequence",
    b"hevx": "HEIF sequence",
    b"msf1": "HEIF sequence",
    b"mif1": "HEIF",
}


def sniff(data: bytes) -> str:
    """Media type that the first bytes announce, if it is one of the four accepted."""
    for signature, media_type in _ACCEPTED_SIGNATURES:
        if signature.match(data):
            return media_type
    if data[4:8] == b"ftyp":
        return _sniff_heif(data)
    for signature, name in _KNOWN_SIGNATURES:
        if signature.match(data[:1024]):
            raise _unsupported(name)
    raise EvidenceRejected("evidence_not_image")


def _sniff_heif(data: bytes) -> str:
    """HEIC shares its container with AVIF, sequences and every MP4 film; the brands tell them apart."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    major, compatible = data[8:12], {data[at : at + 4] for at in range(16, end, 4)}
    if major in _HEIC_BRANDS or (major == b"mif1" and compatible & _HEIC_BRANDS):
        return "image/heic"
    if major in _OTHER_BRANDS:
        raise _unsupported(_OTHER_BRANDS[major])
    raise EvidenceRejected("evidence_not_image")


def _unsupported(name: str) -> EvidenceRejected:
    return EvidenceRejected("evidence_unsupported_format", format=name, accepted=("JPEG", "PNG", "WebP", "HEIC"))


# --- Decoding --------------------------------------------------------------------------------------

_PNG_END = b"IEND\xae\x42\x60\x82"
# Neither stuffing, nor restarts, nor the one other marker without a length.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"


def _decode(data: bytes, media_type: str) -> ImageFile.ImageFile:
    """Size first, from the header; pixels only when there are not too many."""
    try:
        _CHECKS.get(media_type, _no_check)(data)
        image = _READERS[media_type](BytesIO(data))
        _check_dimensions(*image.size)
        _check_still(image, media_type)
        image.load()
        _check_dimensions(*image.size)  # HEIC: the header may have lied about what was inside
    except (EvidenceRejected, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # decoders have no common base error, and none may escape
        raise EvidenceRejected("evidence_corrupt", media_type=media_type) from error
    return image


def _check_png(data: bytes) -> None:
    """The end and the checksums, neither of which decoding looks at."""
    if _PNG_END not in data:
        raise EOFError("no end of image")
    PngImageFile(BytesIO(data)).verify()


def _check_scans(data: bytes) -> None:
    """A progressive JPEG may redraw 50 megapixels every 80 bytes: 15 MB of that is hours of work."""
    at, scans = 2, 0
    while (marker := _JPEG_MARKER.search(data, at)) and marker[0] != _JPEG_END:
        scans += marker[0] == _JPEG_SCAN
        if scans > MAX_SCANS:
            raise ValueError("too many scans")
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")


def _no_check(_data: bytes) -> None:
    """The decoder looks at everything by itself."""


_CHECKS = {"image/jpeg": _check_scans, "image/png": _check_png}


def _check_dimensions(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_many_pixels(width=width, height=height)


def _too_many_pixels(**found: int) -> EvidenceRejected:
    return EvidenceRejected("evidence_too_many_pixels", max_pixels=MAX_PIXELS, max_side=MAX_SIDE, **found)


def _check_still(image: ImageFile.ImageFile, media_type: str) -> None:
    """An animation's first frame hides the others, so it is refused; a HEIC usually holds several stills."""
    if media_type in {"image/png", "image/webp"} and getattr(image, "is_animated", False):
        raise _unsupported("animation")


# --- Derivatives -----------------------------------------------------------------------------------

_TRANSPOSE = {  # by the value of EXIF's Orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = frozenset(_TRANSPOSE[value] for value in (5, 6, 7, 8))


def _upright(image: Image.Image, transpose: Image.Transpose | None) -> Image.Image:
    """Shrunk before it is turned, because each step holds a second copy of the picture."""
    image = _eight_bit(image)
    image.thumbnail((CLEAN_SIDE, CLEAN_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if transpose is not None:
        image = image.transpose(transpose)
    pristine = Image.new(image.mode, image.size)
    pristine.paste(image)  # pixels only: whatever else hangs on the decoded image stays behind
    return pristine


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGBA where something shines through, RGB otherwise."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    opaque = image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if opaque else image


def _thumbnail(clean: Image.Image) -> bytes:
    small = clean.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if small.mode == "RGBA":
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small).convert("RGB")
    return _jpeg(small, quality=80)


def _jpeg(image: Image.Image, quality: int = 88) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# --- EXIF ------------------------------------------------------------------------------------------

SIXTY = 60  # minutes to a degree, seconds to a minute
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


class _Exif:
    """What the camera says. Any of it may be nonsense, and nonsense is the same as silence."""

    def __init__(self, image: Image.Image) -> None:
        self._main: dict[int, object] = {}
        self._capture: dict[int, object] = {}
        self._gps: dict[int, object] = {}
        try:
            exif = image.getexif()
            self._main = dict(exif)
            self._capture = exif.get_ifd(ExifTags.IFD.Exif)
            self._gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        except Exception:  # noqa: BLE001, S110 - hostile bytes; no photo is refused for its EXIF
            pass

    @property
    def orientation(self) -> int:
        value = self._main.get(ExifTags.Base.Orientation)
        return value if isinstance(value, int) else 1

    def captured_at(self, zone: tzinfo) -> datetime | None:
        stamp = _text(self._capture.get(ExifTags.Base.DateTimeOriginal))
        offset = _text(self._capture.get(ExifTags.Base.OffsetTimeOriginal))
        try:
            return _instant(stamp, offset, zone)
        except (ValueError, OverflowError):  # blank, all zeros, or at the edge of the calendar
            return None

    def position(self) -> tuple[float, float] | None:
        """Longitude and latitude; none for exactly 0, 0, which cameras write before they have a fix."""
        lon = self._coordinate(ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "EW", 180)
        lat = self._coordinate(ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "NS", 90)
        if lon is None or lat is None or lon == lat == 0:
            return None
        return lon, lat

    def _coordinate(self, value: int, ref: int, signs: str, limit: int) -> float | None:
        sign = _text(self._gps.get(ref)).upper()
        parts = _sexagesimal(self._gps.get(value))
        if parts is None or not sign or sign not in signs:
            return None
        degrees, minutes, seconds = parts
        size = degrees + minutes / SIXTY + seconds / SIXTY**2
        if min(parts) < 0 or minutes >= SIXTY or seconds > SIXTY or size > limit:
            return None
        return round(-size if sign == signs[-1] else size, 7)


def _text(value: object) -> str:
    return value.strip(" \0") if isinstance(value, str) else ""


def _instant(stamp: str, offset: str, zone: tzinfo) -> datetime:
    local = datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
    if _OFFSET.fullmatch(offset):
        local = datetime.strptime(stamp + offset, "%Y:%m:%d %H:%M:%S%z")
    return local.astimezone(UTC)


def _sexagesimal(value: object) -> tuple[float, float, float] | None:
    """Degrees, minutes, seconds; a zero denominator arrives as NaN or raises, by the whim of the reader."""
    if not isinstance(value, tuple) or len(value) != 3:  # noqa: PLR2004 - degrees, minutes, seconds
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ArithmeticError, struct.error):
        return None
    return (degrees, minutes, seconds) if math.isfinite(degrees + minutes + seconds) else None
