"""How long something may take: a number and one of five units. When it ends is the clock's business."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, field_validator

from domain.base import Value

#: The bounds of every limit's number.
MOST, LEAST = Decimal(10_000), Decimal("0.000001")
#: A work day is eight hours of working time, whatever the table of the day says: so Yuncheng's system defines 工作日.
WORK_DAY_HOURS = 8


class LimitUnit(StrEnum):
    URGENT_HOUR = "urgent_hour"
    URGENT_DAY = "urgent_day"
    NATURAL_DAY = "natural_day"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"

    @property
    def continuous(self) -> bool:
        """Whether nights, weekends and holidays count."""
        return self not in {LimitUnit.WORK_HOUR, LimitUnit.WORK_DAY}


class DayReading(StrEnum):
    """What "n work days" means: n x 8 h of working time, or the end of the n-th working day to follow."""

    HOURS = "hours"
    END_OF_DAY = "end_of_day"


_NAMES: dict[LimitUnit, tuple[str, str]] = {
    LimitUnit.URGENT_HOUR: ("紧急工作时", "urgent hour"),
    LimitUnit.URGENT_DAY: ("紧急工作日", "urgent day"),
    LimitUnit.NATURAL_DAY: ("自然日", "natural day"),
    LimitUnit.WORK_HOUR: ("工作时", "work hour"),
    LimitUnit.WORK_DAY: ("工作日", "work day"),
}
_HOURS: dict[LimitUnit, int] = {
    LimitUnit.URGENT_HOUR: 1,
    LimitUnit.URGENT_DAY: 24,
    LimitUnit.NATURAL_DAY: 24,
    LimitUnit.WORK_HOUR: 1,
    LimitUnit.WORK_DAY: WORK_DAY_HOURS,
}
#: Every spelling that ledgers and people use; the two `urgent_work_*` come from imported ledgers.
_SPELLINGS: dict[str, LimitUnit] = {
    **{unit.value: unit for unit in LimitUnit},
    **{chinese: unit for unit, (chinese, _) in _NAMES.items()},
    "urgent_work_hour": LimitUnit.URGENT_HOUR,
    "urgent_work_day": LimitUnit.URGENT_DAY,
}


def parse_unit(text: str) -> LimitUnit:
    try:
        return _SPELLINGS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"unknown unit {text.strip()!r}; use one of {', '.join(_SPELLINGS)}") from None


def _plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros: `10`, `1.5`."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Limit(Value):
    """Six decimal places at most, so that every limit is a whole number of microseconds."""

    value: Annotated[
        Decimal,
        Field(gt=0, le=MOST, decimal_places=6),
        PlainSerializer(_plain, return_type=str, when_used="json"),
    ]
    unit: LimitUnit

    @field_validator("value")
    @classmethod
    def _one_spelling(cls, value: Decimal) -> Decimal:
        return Decimal(_plain(value))

    @property
    def continuous(self) -> bool:
        return self.unit.continuous

    @property
    def amount(self) -> timedelta:
        """The time it stands for, by hours: real time if continuous, else working time."""
        return hours(self.value * _HOURS[self.unit])

    def times(self, n: int) -> "Limit":
        return Limit(value=self.value * n, unit=self.unit)

    def describe(self, lang: Literal["zh", "en"] = "zh") -> str:
        chinese, english = _NAMES[self.unit]
        if lang == "zh":
            return f"{_plain(self.value)}{chinese}"
        return f"{_plain(self.value)} {english}{'' if self.value == 1 else 's'}"


def hours(value: Decimal) -> timedelta:
    return timedelta(microseconds=int(value * 3_600_000_000))
