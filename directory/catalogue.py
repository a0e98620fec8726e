"""The catalogue that ships with the product: what can be wrong, the limit for it, and when it is closed.

The facts are those of cities' published tables, the sentences are ours. Cities differ, so this is a start to
be changed and not a standard. One line of `data/catalogue.csv` is one condition; lines of one category stand
together, the default condition first. Codes are ours: `C` component, `E` event (both lists of the national
standard begin at 01), then class and number of the standard; `W` is a checkpoint of the civilised-city title.

`source`, several joined by `+`:
    YC   Yuncheng's table of components and events
    DY   Daying's table; the staged limits of burst pipes are from there
    NN, ZX, WH, NW   checkpoint lists of Nanning, Zhuxi, Wuhan and Ningwu
    CS, WA, SM, CH, TS, JZ, HZ, JZU, FZ, JY2   checkpoint lists of other places, known by initials only
`trust`:
    V1   compared with the source's table
    V2   and seen in a second city as well
    SNIP seen in an excerpt of the source only
    CHK  the checkpoint is real, its limit is our proposal
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import StringIO
from itertools import groupby
from typing import Literal, cast

from directory.model import Category, Condition
from domain.case import Milestone
from domain.limits import Limit, parse_unit

Line = Mapping[str, str]


@cache
def load_catalogue() -> tuple[Category, ...]:
    """In the order of the file. ValueError, naming the line, if the file is not sound."""
    text = files("directory").joinpath("data/catalogue.csv").read_text(encoding="utf-8")
    return read_catalogue(StringIO(text))


def read_catalogue(lines: Iterable[str]) -> tuple[Category, ...]:
    """From CSV lines, the header first. ValueError as in `load_catalogue`."""
    conditions = list(_conditions(csv.DictReader(lines, restval="")))
    categories = tuple(
        _category([line for line, _ in group], tuple(condition for _, condition in group))
        for group in (list(group) for _, group in groupby(conditions, key=lambda pair: pair[0]["category"]))
    )
    _refuse_doubles("category", [category.code for category in categories])
    _refuse_doubles("condition", [condition.id for _, condition in conditions])
    return categories


def _conditions(lines: "csv.DictReader[str]") -> Iterator[tuple[Line, Condition]]:
    for line in lines:
        try:
            yield line, _condition(line)
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ValueError(f"catalogue line {lines.line_num}: {error}") from error


def _condition(line: Line) -> Condition:
    limit = _limit(f"{line['limit']} {line['unit']}")
    milestones = tuple(_milestone(text) for text in line["milestones"].split(";") if text)
    if milestones and milestones[-1].limit != limit:
        raise ValueError("the last milestone must have the limit of the condition")
    return Condition(
        id=line["condition"],
        category=line["category"],
        text_zh=line["text_zh"],
        text_en=line["text_en"],
        limit=limit,
        milestones=milestones,
        closure_zh=line["closure_zh"],
        closure_en=line["closure_en"],
        source=line["source"],
        trust=line["trust"],
    )


def _milestone(text: str) -> Milestone:
    """From ``围护/Fence off:3 urgent_hour``."""
    names, limit = text.split(":")
    name_zh, name_en = names.split("/")
    return Milestone(name_zh=name_zh, name_en=name_en, limit=_limit(limit))


def _limit(text: str) -> Limit:
    value, unit = text.split(" ")
    return Limit(value=Decimal(value), unit=parse_unit(unit))


def _category(lines: list[Line], conditions: tuple[Condition, ...]) -> Category:
    first = lines[0]
    shared = ("kind", "big_zh", "big_en", "name_zh", "name_en", "place_types")
    if any(line[column] != first[column] for line in lines for column in shared):
        raise ValueError(f"the lines of category {first['category']} do not agree on {', '.join(shared)}")
    return Category(
        code=first["category"],
        kind=cast("Literal['component', 'event', 'checkpoint']", first["kind"]),  # pydantic checks it
        big_zh=first["big_zh"],
        big_en=first["big_en"],
        name_zh=first["name_zh"],
        name_en=first["name_en"],
        place_types=tuple(first["place_types"].split(";")),
        conditions=conditions,
    )


def _refuse_doubles(what: str, ids: list[str]) -> None:
    if doubles := [each for each, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"{what} given twice: {', '.join(doubles)}")
