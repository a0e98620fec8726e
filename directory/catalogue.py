"""The catalogue: what can be wrong, the limit for it, and when it is closed. The one that ships, or a city's own file.

The facts of the shipped one are those of cities' published tables, the sentences are ours. Cities differ, so this is a
start to be changed and not a standard. One line of `data/catalogue.csv` is one condition; lines of one category stand
together, the default condition first. Codes are ours: `C` component, `E` event (both lists of the national standard
begin at 01), then class and number of the standard; `W` is a checkpoint of the civilised-city title.

`source`, several joined by `+`:
    YC   Yuncheng's table of components and events
    DY   Daying's table; the staged limits of burst pipes are from there
    NN, ZX, WH, NW   checkpoint lists of Nanning, Zhuxi, Wuhan and Ningwu
    CS, WA, SM, CH, TS, JZ, HZ, JZU, FZ, JY2   checkpoint lists of other places, known by initials only
    MEM  names in use, seen in no table
    OWN  a city's own file that does not say
`trust`:
    V1   compared with the source's table
    V2   and seen in a second city as well
    SNIP seen in an excerpt of the source only
    CHK  the checkpoint is real, its limit is our proposal
    MEM  the name is in use, its code and limit are our proposal
    OWN  a city's own file that does not say
No table of a city has `severity`, `photos`, `needs_plan`, `near_metres` or `recurs_days`: what stands there is our
proposal. docs/catalogue.md says what each column takes.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import StringIO
from itertools import groupby
from typing import TypeVar

from pydantic import ValidationError

from directory import catalogue_check as checks
from directory.catalogue_lines import COLUMNS, BadCatalogue, Line, csv_lines, toml_lines
from directory.model import Category, Condition
from directory.rules import Problem
from domain.case import Milestone
from domain.limits import Limit, LimitUnit, parse_unit

_YES = {"": False, "0": False, "no": False, "否": False, "1": True, "yes": True, "是": True}
_OWN = "OWN"
_T = TypeVar("_T")


@cache
def load_catalogue() -> tuple[Category, ...]:
    """The shipped one, in the order of its file."""
    return read_catalogue(files("directory").joinpath("data/catalogue.csv").read_text(encoding="utf-8"))


def read_catalogue(text: str, *, toml: bool = False, old_order: bool = False) -> tuple[Category, ...]:
    """Raises BadCatalogue with everything that is wrong.

    `old_order`: event classes 04 and 05 stand the other way round, and are renumbered.
    """
    lines = toml_lines(text) if toml else csv_lines(text)
    if not lines:
        raise BadCatalogue([Problem("category", "文件中没有类别。", "the file has no category")])
    problems = checks.doubts(lines)
    if checks.in_old_order(lines) is not old_order:
        problems.append(checks.not_old_order_problem(lines) if old_order else checks.old_order_problem(lines))
    if old_order:
        lines = [checks.renumbered(line) for line in lines]
    conditions = [_read(line, _condition, problems) for line in lines]
    sound = [(line, each) for line, each in zip(lines, conditions, strict=True) if each is not None]
    grouped = [list(group) for _, group in groupby(sound, key=lambda pair: pair[0].cells["category"])]
    categories = [_read(group[0][0], _category_of([each for _, each in group]), problems) for group in grouped]
    if problems:
        raise BadCatalogue(problems)
    return tuple(each for each in categories if each is not None)


def dump_catalogue(categories: Iterable[Category]) -> str:
    """CSV that reads as the same."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for category in categories:
        writer.writerows(_cells(category, condition) for condition in category.conditions)
    return out.getvalue()


# --- from lines to categories ---


def _read(line: Line, build: Callable[[Mapping[str, str]], _T], problems: list[Problem]) -> _T | None:
    """None, and what is wrong is added to `problems`. What is empty and may not be has been told already."""
    try:
        return build(line.cells)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        column = {"code": "category", "id": "condition"}.get(str(first["loc"][0]), str(first["loc"][0]))
        found = line.problem(column, "取值有误。", first["msg"].removeprefix("Value error, "))
    except _BadCell as bad:
        found = line.problem(bad.column, bad.zh, bad.en)
    if not any(each.key == found.key for each in problems):
        problems.append(found)
    return None


class _BadCell(Exception):
    def __init__(self, column: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.column, self.zh, self.en = column, zh, en


def _condition(cells: Mapping[str, str]) -> Condition:
    limit = _limit("limit", cells["limit"], cells["unit"])
    milestones = tuple(_milestone(text) for text in cells["milestones"].split(";") if text)
    if milestones and milestones[-1].limit != limit:
        raise _BadCell(
            "milestones", "最后一段的时限须等于总时限。", "the last milestone must have the limit of the condition"
        )
    return Condition.model_validate(
        {
            "id": cells["condition"],
            "category": cells["category"],
            **_both(cells, "text"),
            "limit": limit,
            "milestones": milestones,
            **_both(cells, "closure"),
            "photos": cells["photos"] or None,
            "severity": cells["severity"] or None,
            "needs_plan": _yes("needs_plan", cells["needs_plan"]),
            "source": cells["source"] or _OWN,
            "trust": cells["trust"] or _OWN,
        }
    )


def _category_of(conditions: Sequence[Condition]) -> Callable[[Mapping[str, str]], Category]:
    def build(cells: Mapping[str, str]) -> Category:
        return Category.model_validate(
            {
                "code": cells["category"],
                "kind": cells["kind"],
                **_both(cells, "big"),
                **_both(cells, "name"),
                "place_types": tuple(each for each in cells["place_types"].split(";") if each),
                "severity": cells["category_severity"] or None,
                "near_metres": cells["near_metres"] or None,
                "recurs_days": cells["recurs_days"] or None,
                "conditions": tuple(conditions),
            }
        )

    return build


def _both(cells: Mapping[str, str], name: str) -> dict[str, str]:
    return {f"{name}_zh": cells[f"{name}_zh"], f"{name}_en": cells[f"{name}_en"] or cells[f"{name}_zh"]}


def _limit(column: str, value: str, unit: str) -> Limit:
    try:
        parsed = parse_unit(unit)
    except ValueError:
        known = ", ".join(LimitUnit)
        raise _BadCell(
            "unit" if column == "limit" else column,
            f"时限单位“{unit}”无法识别，请用 {known}。",
            f"unknown unit of time; use one of {known}",
        ) from None
    try:
        return Limit(value=Decimal(value), unit=parsed)
    except (ValueError, ArithmeticError):
        zh = f"时限“{value}”应为大于 0、不超过 10000 的数。"
        raise _BadCell(column, zh, "a limit is a number above 0, 10000 at most") from None


def _milestone(text: str) -> Milestone:
    """From ``围护/Fence off:3 urgent_hour``; the English name may be left out."""
    names, _, limit = text.rpartition(":")
    value, _, unit = limit.strip().partition(" ")
    name_zh, _, name_en = names.partition("/")
    if not name_zh or not unit:
        zh = f"“{text}”应形如 围护/Fence off:3 urgent_hour。"
        raise _BadCell("milestones", zh, "write it as 围护/Fence off:3 urgent_hour")
    return Milestone(name_zh=name_zh, name_en=name_en or name_zh, limit=_limit("milestones", value, unit))


def _yes(column: str, text: str) -> bool:
    try:
        return _YES[text.lower()]
    except KeyError:
        raise _BadCell(column, "请填 是 或 否。", "yes or no") from None


# --- and back ---


def _cells(category: Category, condition: Condition) -> dict[str, object]:
    shared = category.model_dump(mode="json", include=set(COLUMNS), exclude={"severity"})
    own = condition.model_dump(mode="json", include=set(COLUMNS))
    special = {
        "category": category.code,
        "place_types": ";".join(category.place_types),
        "category_severity": category.severity,
        "condition": condition.id,
        "limit": own["limit"]["value"],
        "unit": condition.limit.unit.value,
        "milestones": ";".join(map(_milestone_text, condition.milestones)),
        "needs_plan": "1" if condition.needs_plan else None,
    }
    return {name: "" if value is None else value for name, value in (shared | own | special).items()}


def _milestone_text(milestone: Milestone) -> str:
    limit = milestone.limit.model_dump(mode="json")
    return f"{milestone.name_zh}/{milestone.name_en}:{limit['value']} {limit['unit']}"
