"""What a cell may say, and how a value is written into one. Each kind reads what it has written as the same.

Chinese words and English ones are both understood; the Chinese are written, for those who read the sheet.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from directory.positions import Datum, parse_datum
from domain.case import Milestone
from domain.limits import Limit, LimitUnit, parse_unit
from domain.words import ROLES, Words

_SLUG = re.compile(r"[a-z0-9-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")
_YES, _NO = frozenset({"是", "1", "yes", "true", "y"}), frozenset({"否", "0", "no", "false", "n"})
_MARKS = re.compile(r"[\\;；/:：]")

LEVELS: Mapping[str, Words] = {
    "city": ("市", "city"),
    "district": ("区县", "district"),
    "street": ("街道乡镇", "street"),
    "community": ("社区村", "community"),
    "grid": ("网格", "grid"),
}
GRID_KINDS: Mapping[str, Words] = {
    "block": ("块状", "block"),
    "line": ("条形", "line"),
    "compound": ("单位型", "compound"),
}
CATEGORY_KINDS: Mapping[str, Words] = {
    "component": ("部件", "component"),
    "event": ("事件", "event"),
    "checkpoint": ("点位检查", "checkpoint"),
}
SEVERITIES: Mapping[str, Words] = {
    "low": ("轻微", "low"),
    "normal": ("一般", "normal"),
    "high": ("严重", "high"),
    "urgent": ("紧急", "urgent"),
}
LIMIT_UNITS: Mapping[str, Words] = {
    each.value: (Limit(value=Decimal(1), unit=each).describe("zh")[1:], each.value) for each in LimitUnit
}


class BadCell(Exception):
    """`code` is one of `exchange.faults.TEXTS`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True, slots=True)
class Kind:
    """How a column is read and written. `choices` are offered by the sheet. `number`: written as one.

    `identity`: it names something, so a number or a date in its place was Excel's doing.
    """

    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()
    number: bool = False
    identity: bool = False


# --- several in one cell: `;` between them, a backslash before a mark that is meant literally ---


def escaped(part: str) -> str:
    return _MARKS.sub(lambda match: f"\\{match[0]}", part)


def parts(text: str, marks: str) -> list[str]:
    """What stands between the marks, still escaped."""
    found, letters = [""], iter(text)
    for each in letters:
        if each in marks:
            found.append("")
        else:
            found[-1] += each + next(letters, "") if each == "\\" else each
    return [part.strip() for part in found]


def unescaped(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(unescaped(_text(part)) for part in parts(text, ";；") if part)


def _show_list(values: tuple[str, ...]) -> str:
    return ";".join(map(escaped, values))


def _slugs(text: str) -> tuple[str, ...]:
    return tuple(_slug(part) for part in _listed(text))


def _milestones(text: str) -> tuple[Milestone, ...]:
    return tuple(_milestone(part) for part in parts(text, ";；") if part)


def _milestone(text: str) -> Milestone:
    names, limit, *more = *parts(text, ":："), "", ""
    value, _, unit = limit.partition(" ")
    name_zh, name_en, *further = *parts(names, "/"), "", ""
    if not name_zh or not unit or any(more) or any(further):
        raise BadCell("bad_milestones")
    try:
        kept = Limit(value=Decimal(value), unit=parse_unit(unit))
    except (ValueError, ArithmeticError):
        raise BadCell("bad_milestones") from None
    return Milestone(name_zh=unescaped(name_zh), name_en=unescaped(name_en or name_zh), limit=kept)


def _show_milestones(milestones: tuple[Milestone, ...]) -> str:
    return ";".join(
        f"{escaped(each.name_zh)}/{escaped(each.name_en)}:{_decimal(each.limit.value)} {each.limit.unit.value}"
        for each in milestones
    )


# --- single values ---


def _text(text: str) -> str:
    if _CONTROL.search(text):
        raise BadCell("control_character")
    return text


def _slug(text: str) -> str:
    if _SLUG.fullmatch(text):
        return text
    if _SLUG.fullmatch(text.lower()):
        raise BadCell("capital_id", suggested=text.lower())
    raise BadCell("bad_id", example="yunlan-1")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadCell("bad_number") from None
    if not isfinite(value):
        raise BadCell("bad_number")
    return value


def _whole(text: str) -> int:
    value = _number(text)
    if value != int(value):
        raise BadCell("bad_whole")
    return int(value)


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise BadCell("bad_limit") from None


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _flag(text: str) -> bool:
    plain = text.lower()
    if plain in _YES:
        return True
    if plain in _NO:
        return False
    raise BadCell("bad_flag")


def _moment(text: str) -> datetime:
    """A time without an offset is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadCell("bad_date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _datum(text: str) -> Datum:
    try:
        return parse_datum(text)
    except ValueError:
        raise BadCell("bad_datum", known="、".join(Datum)) from None


def _choice(words: Mapping[str, Words], more: Callable[[str], str] | None = None) -> Kind:
    spellings = {name: value for value, pair in words.items() for name in (value, *pair)}

    def parse(text: str) -> str:
        try:
            return spellings.get(text.lower()) or (more(text) if more else spellings[text])
        except (KeyError, ValueError):
            raise BadCell("bad_choice", known="、".join(f"{zh} {value}" for value, (zh, _) in words.items())) from None

    return Kind(parse, lambda value: words[value][0], tuple(zh for zh, _ in words.values()))


TEXT = Kind(_text)
ID = Kind(_slug, identity=True)
NAME = Kind(_text, identity=True)  # of a record whose ids are freer than slugs
IDS = Kind(_slugs, _show_list, identity=True)
LIST = Kind(_listed, _show_list)
DEGREES = Kind(_number, repr, number=True)
WHOLE = Kind(_whole, str, number=True)
AMOUNT = Kind(_amount, _decimal, number=True)
FLAG = Kind(_flag, lambda value: "是" if value else "否", ("是", "否"))
MOMENT = Kind(_moment, lambda value: value.isoformat(sep=" "))
DATUM = Kind(_datum, str, tuple(Datum))
MILESTONES = Kind(_milestones, _show_milestones)
LEVEL, GRID_KIND, CATEGORY_KIND = _choice(LEVELS), _choice(GRID_KINDS), _choice(CATEGORY_KINDS)
SEVERITY, ROLE = _choice(SEVERITIES), _choice(ROLES)
LIMIT_UNIT = _choice(LIMIT_UNITS, parse_unit)
