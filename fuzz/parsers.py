"""What reads files and texts of others, tried one by one: it answers, or refuses in the way it says it does.

Each function below is one property. Whatever else a parser raises is the finding.
"""

import re
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from sqlalchemy import true
from sqlmodel import col
from starlette.requests import Request

from api.cases import ReportBody
from api.problems import language
from directory.calendars import default_calendar, dump_calendar, parse_calendar
from directory.demo_city import demo_directory
from directory.places import Places
from directory.positions import Datum, parse_datum, to_wgs84
from directory.reporting import City, Receiving, resolve
from directory.rules import BadRules, default_rules, parse_rules
from domain import case_id, life
from domain.actors import Actor, Role
from domain.errors import Invalid, RectifyError
from domain.sentences import SENTENCES, sentence
from fuzz import samples
from fuzz.properties import target
from ledger.entries import entry
from ledger.mapping import BadMap, Map, parse_map
from ledger.reading import BadLedger, LedgerFile
from ledger.refusals import Refused
from ledger.slugs import LONGEST, slug
from ledger.times import instant
from store.images import EvidenceRejected, inspect
from store.pages import Order
from store.rows import words
from store.tables import CaseRow

_NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
_SLUG = re.compile(r"[a-z0-9-]*")
_OFFICER = Actor(user="officer-1", role=Role.OFFICER, area="/qinghe/yunlan")


@target(samples.spoilt("RC-7K3Q-M0P4-0000", "rc 7k3q m0p4 0000", case_id.make(77)))
def case_ids(text: str) -> None:
    with suppress(Invalid):
        found = case_id.parse(text)
        assert case_id.parse(found) == found


@target(samples.spoilt(samples.CALENDAR, samples.WEEK, default_calendar().model_dump_json()))
def calendars(text: str) -> None:
    with suppress(ValueError):
        calendar = parse_calendar(text)
        try:
            again = parse_calendar(dump_calendar(calendar))
        except ValueError as error:
            raise AssertionError(f"what was written cannot be read: {error}") from error
        assert again == calendar


@target(samples.spoilt(samples.POLICY, samples.LADDER, samples.POLICY + samples.LADDER))
def rules(text: str) -> None:
    with suppress(BadRules):
        assert any(parse_rules(text))


@target(samples.spoilt(samples.MAP))
def maps(text: str) -> None:
    with suppress(BadMap):
        assert parse_map(text).columns


@cache
def _plan() -> Map:
    return parse_map(samples.MAP)


@cache
def _city() -> City:
    return City(demo_directory(), Places(demo_directory()), default_rules(default_calendar()))


@target(
    samples.damaged(samples.LEDGER.encode(), samples.LEDGER.encode("gb18030")),
    samples.spoilt(samples.MAP),
)
def ledgers(data: bytes, plan: str) -> None:
    """A damaged file under a map that is sound or nearly so."""
    try:
        used = parse_map(plan)
    except BadMap:
        used = _plan()
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        with suppress(BadLedger), LedgerFile(Path(file.name), used.file, used.columns) as read:
            for row in read.rows():
                with suppress(Refused, RectifyError):
                    found = entry(used, demo_directory(), row)
                    received = Receiving(_OFFICER, _NOW, case_id.make(1), ledger=found.ledger)
                    life.open_case(resolve(_city(), found.report, received))


@target(samples.spoilt("2026-03-02 09:30", "2026/03/02 下午 03:30", "0001-01-01 00:00", "9999-12-31 23:59"))
def times(text: str) -> None:
    with suppress(Refused):
        assert instant(text, _plan().time).tzinfo is UTC


@target(st.lists(samples.spoilt("Kleinstadt", "东城区", "a" * 70), min_size=1, max_size=3))
def slugs(cells: list[str]) -> None:
    try:
        made = slug(*cells)
    except UnicodeEncodeError:
        assert any("\ud800" <= char <= "\udfff" for cell in cells for char in cell), "the reader refuses these before"
    else:
        assert _SLUG.fullmatch(made)
        assert len(made) <= LONGEST


def _order() -> Order:
    return Order((col(CaseRow.opened_at), col(CaseRow.escalation_level), col(CaseRow.id)), "fuzz")


@target(samples.spoilt(_order().cursor((_NOW, 2, "RC-7K3Q-M0P4-0000")), _order().cursor((_NOW, 0, ""))))
def cursors(text: str) -> None:
    with suppress(ValueError):
        _order().rows(true(), text, 10)


@target(samples.damaged(*samples.photos()))
def photos(data: bytes) -> None:
    with suppress(EvidenceRejected):
        found = inspect(data)
        for derived in (found.clean, found.thumbnail):
            with Image.open(BytesIO(derived)) as image:
                assert not image.getexif()
                image.load()


@target(samples.damaged(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0e\0\x02\0\0\0\x04abc\0\0\0\0\0" * 2))
def exif(block: bytes) -> None:
    """No sound photo is refused for what its camera wrote."""
    out = BytesIO()
    Image.new("RGB", (4, 4)).save(out, "JPEG", exif=block[:60_000])
    inspect(out.getvalue())


_DEGREES = st.floats(-400, 400) | st.floats()


@target(_DEGREES, _DEGREES, st.sampled_from(Datum) | samples.spoilt("GCJ-02", "bd 09"))
def positions(lon: float, lat: float, datum: Datum | str) -> None:
    with suppress(ValueError):
        kind = datum if isinstance(datum, Datum) else parse_datum(datum)
        east, north = to_wgs84(lon, lat, kind)
        assert abs(east) <= 180
        assert abs(north) <= 90


@target(samples.spoilt(samples.REPORT))
def reports(text: str) -> None:
    try:
        body = ReportBody.model_validate_json(text.encode(errors="surrogatepass"))
    except ValidationError:
        return
    with suppress(RectifyError):
        opening = resolve(_city(), body, Receiving(_OFFICER, _NOW, case_id.make(1)))
        assert life.snapshot(life.open_case(opening)[0]).id == opening.id


@target(samples.spoilt(samples.LANGUAGES))
def languages(text: str) -> None:
    header = (b"accept-language", text.encode("latin-1", "replace"))
    assert language(Request({"type": "http", "headers": [header]})) in {"zh", "en"}


_PARAMS = st.dictionaries(
    st.sampled_from(["id", "role", "command", "stage", "unit", "field", "reason", "max_bytes", "accepted"]),
    st.none() | st.integers() | samples.spoilt("sanitation", "{role}", "[x]") | st.lists(st.text(max_size=9)),
)


@target(st.sampled_from(sorted(SENTENCES)) | st.text(max_size=20), _PARAMS)
def sentences(code: str, params: dict[str, object]) -> None:
    for lang in ("zh", "en"):
        assert sentence(code, params, "en" if lang == "en" else "zh")


@target(samples.spoilt("槐荫巷三号 Ａ１", "%_\\"))
def searches(text: str) -> None:
    assert isinstance(words(text), str)
