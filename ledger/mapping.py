"""The map: how the columns of a foreign ledger become a report. A TOML file, written by whoever knows the ledger.

Unknown keys are errors, since they would be typos. Cells are compared after stripping, exactly as they are written.
`docs/import.md` explains every key.
"""

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from directory.catalogue_check import is_of_the_other_class
from directory.model import AreaLevel, Slug
from directory.positions import Datum
from directory.rules import Problem
from domain.case import Outcome
from domain.limits import Limit, parse_unit
from domain.policy import Severity

_COLUMN = re.compile(r"\{([^{}]+)\}")
_LEVELS = list(AreaLevel)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; write one such as Asia/Shanghai") from None
    return name


def _encoding(name: str) -> str:
    """Of text, and one that lets a single bad byte stand: Python also knows `base64` and `idna` by such a name."""
    try:
        b"a".decode(name, "surrogateescape")
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding; write utf-8-sig, utf-8 or gb18030") from None


def _format(form: str) -> str:
    """What it writes it must be able to read."""
    try:
        datetime.strptime(datetime(2026, 3, 2, 9, 30, tzinfo=UTC).strftime(form), form)  # noqa: DTZ007 - only tried
    except (ValueError, re.error):
        raise ValueError(f"{form!r} is no format of a time; write one such as %Y-%m-%d %H:%M") from None
    return form


Zone = Annotated[str, AfterValidator(_zone)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Format = Annotated[str, AfterValidator(_format)]
Column = Annotated[str, Field(min_length=1)]
#: Text with `{column}` in it.
Template = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def filled(template: str, cells: Mapping[str, str]) -> str:
    """The text with each `{column}` replaced by its cell."""
    return _COLUMN.sub(lambda found: cells[found[1]], template).strip()


class File(_Part):
    """The first encoding in which the whole file can be read is the one."""

    encodings: Annotated[tuple[Encoding, ...], Field(min_length=1)] = ("utf-8-sig", "gb18030")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","


class Times(_Part):
    """`formats` as strptime takes them, the first that fits; 上午 and 下午 are read as AM and PM (`%p`)."""

    zone: Zone
    discovered: Column
    formats: Annotated[tuple[Format, ...], Field(min_length=1)]


class As(StrEnum):
    ARCHIVE = "archive"
    OPEN = "open"


class Closed(_Part):
    """Rows with a closing time have ended. `outcomes` translate the ledger's word for how; others are rectified."""

    column: Column
    as_: Annotated[As, Field(alias="as")] = As.ARCHIVE
    status: Column | None = None
    outcomes: Mapping[str, Outcome] = {}


class Position(_Part):
    lon: Column
    lat: Column
    datum: Datum = Datum.WGS84


class Lookup(_Part):
    """A column whose cells stand for something of ours; `default` where the cell is empty or not in `values`."""

    column: Column
    values: Mapping[str, str] = {}
    default: str | None = None

    def find(self, cells: Mapping[str, str]) -> str | None:
        return self.values.get(cells[self.column], self.default)


class Categories(Lookup):
    """Values are codes of categories or of conditions. `create`: a value without one becomes a category of its own."""

    create: bool = False
    limit: Limit | None = None

    @field_validator("limit", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever it was given
        """`5 work_day` or `5 工作日`."""
        number, _, unit = value.partition(" ") if isinstance(value, str) else ("", "", "")
        return {"value": number, "unit": parse_unit(unit)} if unit else value

    @model_validator(mode="after")
    def _created_with_a_limit(self) -> Self:
        if self.create and self.limit is None:
            raise ValueError('create = true needs a limit, such as limit = "5 work_day"')
        return self

    @model_validator(mode="after")
    def _not_by_the_numbers_of_old(self) -> Self:
        """Older systems have event classes 04 and 05 the other way round: a hawker would become an emergency."""
        wrong = [f"{cell} = {code}" for cell, code in self.values.items() if is_of_the_other_class(code, cell)]
        if wrong:
            raise ValueError(
                "event class 04 is street order 街面秩序 today and 05 emergencies 突发事件; "
                f"these stand in the order of old: {', '.join(wrong)}"
            )
        return self


class Level(Lookup):
    """One level of areas below the city. `prefix` and the names are for those created; `{value}` is the cell."""

    level: AreaLevel
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]*$", max_length=16)] = ""
    name_zh: Template = "{value}"
    name_en: Template = "{value}"


class Units(Lookup):
    names: Mapping[str, str] = {}


class Severities(Lookup):
    values: Mapping[str, Severity] = {}
    default: Severity | None = Severity.NORMAL


class Founded(_Part):
    """The city that `--create-missing` founds in an empty installation."""

    id: Slug
    name_zh: Column
    name_en: Column
    zone: Zone


class Map(_Part):
    """`system` names the ledger's home; with the external reference it is the identity of a row."""

    system: Slug
    reference: Column
    description: Template
    address: Template | None = None
    file: File = File()
    time: Times
    closed: Closed | None = None
    position: Position | None = None
    category: Categories
    area: tuple[Level, ...] = ()
    unit: Units | None = None
    place_type: Lookup | None = None
    severity: Severities | None = None
    city: Founded | None = None

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        depths = [_LEVELS.index(level.level) for level in self.area]
        if 0 in depths or depths != sorted(set(depths)):
            raise ValueError("area: list the levels from the outermost, below the city, each once")
        if self.position is None and self.address is None:
            raise ValueError("position: give [position] or address, or no row says where it is")
        return self

    @property
    def columns(self) -> Mapping[str, str]:
        """Every column that the map reads, with the key that names it."""
        return dict(_columns(self, ""))


class BadMap(ValueError):
    """Everything that is wrong with a map, at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def parse_map(text: str) -> Map:
    """BadMap lists every problem, with its key."""
    try:
        return Map.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMap(
            (
                Problem(
                    "TOML",
                    "不是有效的 TOML 文件；中文的键要加引号。",
                    f"not a TOML file; put keys that are not ASCII in quotes: {str(error)[:200]}",
                ),
            )
        ) from None
    except ValidationError as error:
        raise BadMap(tuple(_problem(dict(each)) for each in error.errors(include_url=False))) from None


_CHINESE = {
    "missing": "缺少此项，请补上。",
    "extra_forbidden": "未知的键，请检查拼写。",
    "enum": "不是允许的值。",
    "string_pattern_mismatch": "只能用小写字母、数字和连字符。",
    "string_too_short": "不能为空。",
    "too_short": "不能为空。",
}
_ENGLISH = {"missing": "it is missing; add it", "extra_forbidden": "unknown key; check its spelling or remove it"}


def _problem(found: dict[str, object]) -> Problem:
    kind, path, message = str(found["type"]), found["loc"], str(found["msg"])
    key = ".".join(str(part) for part in path) if isinstance(path, tuple) else ""
    english = _ENGLISH.get(kind, message.removeprefix("Value error, "))
    return Problem(key or "map", _CHINESE.get(kind, "取值有误。"), english)


#: Fields that name a column as they stand, and templates, which name theirs in braces.
_NAMING = {"reference", "discovered", "column", "status", "lon", "lat"}
_TEMPLATES = {"description", "address"}


def _columns(part: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    for name in type(part).model_fields:
        value, key = getattr(part, name), f"{path}{name}"
        if name in _TEMPLATES and value is not None:
            yield from ((column, key) for column in _COLUMN.findall(value))
        elif name in _NAMING and value is not None:
            yield value, key
        else:
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, BaseModel):
                    yield from _columns(each, f"{key}.")
