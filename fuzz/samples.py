"""Things that are right, and ways to spoil them: most faults hide close to what is sound."""

import re
from importlib.resources import files
from io import BytesIO

from hypothesis import strategies as st
from PIL import ExifTags, Image
from pillow_heif import from_pillow

from directory.calendars import default_calendar, dump_calendar

#: What parsers stumble over, wherever it stands.
TOKENS = (
    "",
    "\0",
    "\n",
    "\r\n",
    "\u202e",
    "\ufeff",
    "\ud800",
    "'",
    '"',
    '"""',
    "{",
    "}",
    "[" * 3000,
    "[[",
    "]",
    ",",
    ";",
    "=",
    "-",
    "..",
    "../" * 9,
    "%",
    "%s%n",
    "{value}",
    "nan",
    "inf",
    "-1",
    "1e999",
    "9" * 400,
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "24:00",
    "true",
    "null",
    "二",
    "＝",
    "ｅ",
    "İ",
    "ß",
    "rot13",
    "utf-16",
    "Asia/Shanghai",
    "America/New_York",
    "../../etc/localtime",
)

CALENDAR = dump_calendar(default_calendar())
WEEK = 'id = "x"\nzone = "Asia/Shanghai"\nofficial_through = 2026-12-31\n[weekdays]\nmon-fri = ["08:00-12:00"]\n'
POLICY, LADDER = ((files("directory") / "data" / name).read_text("utf-8") for name in ("policy.toml", "ladder.toml"))
MAP = """system = "hotline"
reference = "编号"
description = "{问题}"
address = "{地址}"
[file]
encodings = ["utf-8-sig", "gb18030"]
delimiter = ","
[time]
zone = "Asia/Shanghai"
discovered = "时间"
formats = ["%Y-%m-%d %H:%M", "%Y/%m/%d %p %I:%M"]
[closed]
column = "结案"
outcomes = { "作废" = "withdrawn" }
status = "状态"
[position]
lon = "经度"
lat = "纬度"
datum = "gcj02"
[category]
column = "类别"
[category.values]
"垃圾" = "E0110"
[[area]]
level = "district"
column = "区"
[unit]
column = "单位"
"""
LEDGER = (
    "编号,问题,地址,时间,结案,状态,经度,纬度,类别,区,单位\n"
    "A1,垃圾外溢,槐荫巷三号,2026-03-02 09:30,2026-03-03 10:00,作废,110.006,38.264,垃圾,yunlan,sanitation\n"
    '2,"两行\n的问题",,2026/03/02 下午 03:30,,,,,垃圾,,\n'
)
REPORT = (
    '{"category": "E0110", "condition": "E0110-1", "description": "垃圾外溢", "grid": "qingshi-1-2", "source": "grid",'
    ' "location": {"lon": 110.006, "lat": 38.264, "datum": "gcj02"}, "severity": "normal", "external_ref": "A-1",'
    ' "discovered_at": "2026-03-02T09:30:00+08:00", "evidence": [], "self_handled": {"note": "好", "evidence": []}}'
)
LANGUAGES = "en-GB,en;q=0.9,zh-CN;q=0.8,*;q=0.1"


_WORD = re.compile(r'"[^"]*"|[\w.-]+|[^\w\s]')


@st.composite
def spoilt(draw: st.DrawFn, *sound: str) -> str:
    """One of the texts with a few words exchanged, and a few cuts, repetitions and insertions anywhere."""
    text = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(0, 5))):
        at, until = draw(_word(text)) if draw(st.booleans()) else draw(_span(text))
        old = text[at:until]
        new = draw(st.sampled_from(TOKENS) | st.text(max_size=12) | st.sampled_from((old * 2, f'"{old}"', f"[{old}]")))
        quoted = old.startswith('"') and draw(st.booleans())
        text = text[:at] + (f'"{new}"' if quoted else new) + text[until:]
    return text


def _word(text: str) -> st.SearchStrategy[tuple[int, int]]:
    return st.sampled_from([found.span() for found in _WORD.finditer(text)] or [(0, len(text))])


@st.composite
def _span(draw: st.DrawFn, text: str) -> tuple[int, int]:
    at = draw(st.integers(0, len(text)))
    return at, draw(st.integers(at, min(len(text), at + 40)))


@st.composite
def damaged(draw: st.DrawFn, *sound: bytes) -> bytes:
    """One of the files with bytes changed, cut out or put in."""
    data = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        until = draw(st.integers(at, min(len(data), at + 64)))
        data = data[:at] + draw(st.binary(max_size=16)) + data[until:]
    return data[: draw(st.sampled_from((len(data), len(data), len(data) // 2)))]


def photos() -> tuple[bytes, ...]:
    """One of each format, small, with what a camera writes."""
    picture = Image.linear_gradient("L").resize((48, 36)).convert("RGB")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "camera"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (38.0, 15.0, 50.0), 3: "E", 4: (110.0, 0.0, 22.0)})
    found = []
    for kind in ("JPEG", "PNG", "WEBP"):
        out = BytesIO()
        picture.save(out, kind, exif=exif.tobytes(), progressive=True)
        found.append(out.getvalue())
    out = BytesIO()
    from_pillow(picture).save(out, quality=60)
    return (*found, out.getvalue())
