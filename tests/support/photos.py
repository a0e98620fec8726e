"""Photos made on the spot, so that no test needs a file: each accepted format, with what a camera writes."""

import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from io import BytesIO

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from pillow_heif import from_pillow

# A landscape in which each corner has a colour of its own: a wrong turn shows.
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30)
CORNERS = (RED, GREEN, BLUE, YELLOW)

Rational = tuple[int, int]


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red and green above, blue and yellow below."""
    image = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for index, colour in enumerate(CORNERS):
        image.paste(colour, ((index % 2) * half[0], (index // 2) * half[1], width, height))
    return image.convert(mode)


def exif(
    *,
    captured: datetime | str | None = None,
    offset: str | None = None,
    position: tuple[float, float] | None = None,
    orientation: int | None = None,
    maker: str | None = None,
) -> bytes:
    """`position` is longitude, latitude in WGS-84; `captured` is the clock of the camera, without a zone."""
    data = Image.Exif()
    if maker is not None:
        data[ExifTags.Base.Make] = maker
    if orientation is not None:
        data[ExifTags.Base.Orientation] = orientation
    capture: dict[int, object] = {}
    if captured is not None:
        stamp = captured if isinstance(captured, str) else captured.strftime("%Y:%m:%d %H:%M:%S")
        capture[ExifTags.Base.DateTimeOriginal] = stamp
    if offset is not None:
        capture[ExifTags.Base.OffsetTimeOriginal] = offset
    _set_ifd(data, ExifTags.IFD.Exif, capture)
    if position is not None:
        _set_ifd(data, ExifTags.IFD.GPSInfo, _gps(*position))
    return data.tobytes()


def exif_with_gps(lon: Sequence[Rational], lat: Sequence[Rational], lon_ref: str = "E", lat_ref: str = "N") -> bytes:
    """GPS fields exactly as given, sense or nonsense."""
    data = Image.Exif()
    fields: dict[int, object] = {
        ExifTags.GPS.GPSLatitudeRef: lat_ref,
        ExifTags.GPS.GPSLatitude: tuple(IFDRational(*part) for part in lat),
        ExifTags.GPS.GPSLongitudeRef: lon_ref,
        ExifTags.GPS.GPSLongitude: tuple(IFDRational(*part) for part in lon),
    }
    _set_ifd(data, ExifTags.IFD.GPSInfo, fields)
    return data.tobytes()


def jpeg(image: Image.Image | None = None, *, exif: bytes = b"", **options: object) -> bytes:
    return _saved(image or picture(), "JPEG", exif=exif, quality=90, **options)


def png(image: Image.Image | None = None, *, exif: bytes = b"", **options: object) -> bytes:
    return _saved(image or picture(), "PNG", exif=exif, **options)


def webp(image: Image.Image | None = None, *, exif: bytes = b"", **options: object) -> bytes:
    return _saved(image or picture(), "WEBP", exif=exif, **options)


def heic(image: Image.Image | None = None, *, exif: bytes = b"") -> bytes:
    out = BytesIO()
    heif = from_pillow(image or picture())
    heif.save(out, quality=90, exif=exif or None)
    return out.getvalue()


def photo(seed: int = 0) -> bytes:
    """A small JPEG; each seed gives other bytes."""
    return jpeg(comment=f"photo {seed}".encode())


def png_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A sound PNG of black pixels by its header, a few kilobytes long; nobody should unpack it."""
    packed = zlib.compress(bytes(1_000_000), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _set_ifd(data: Image.Exif, ifd: int, fields: dict[int, object]) -> None:
    data.get_ifd(ifd).update(fields)
    data[ifd] = fields


def _gps(lon: float, lat: float) -> dict[int, object]:
    return {
        ExifTags.GPS.GPSLatitudeRef: "N" if lat >= 0 else "S",
        ExifTags.GPS.GPSLatitude: _sexagesimal(abs(lat)),
        ExifTags.GPS.GPSLongitudeRef: "E" if lon >= 0 else "W",
        ExifTags.GPS.GPSLongitude: _sexagesimal(abs(lon)),
    }


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Seconds to a ten-thousandth: three millimetres."""
    rest = Fraction(round(degrees * 36_000_000), 10_000)
    whole, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return (
        IFDRational(int(whole)),
        IFDRational(int(minutes)),
        IFDRational(seconds.numerator, seconds.denominator),
    )
