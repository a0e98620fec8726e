"""Where the policy and the ladder come from: the shipped ones, or a city's own TOML file.

A file holds `[policy]`, or `[[rung]]` (with `[ladder]` to name them), or both; `directory/data/` shows every key.
Limits are written `"2 work_hour"` or `"2 工作时"`. JSON of the same shape does too. Unlike the models, which must read
what history holds, a file may have no unknown key: it would be a typo.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from domain.calendar import Calendar
from domain.limits import Limit, LimitUnit, parse_unit
from domain.policy import Ladder, Policy, Rules

_M = TypeVar("_M", bound=BaseModel)
_SECTIONS = ("policy", "ladder", "rung")
_LIMIT = re.compile(r"\s*([0-9.]+)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one key of a file, and what to do."""

    key: str
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.key}: {self.zh} {self.en}"


class BadRules(ValueError):
    """Everything that is wrong with a file, at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def parse_rules(text: str) -> tuple[Policy | None, Ladder | None]:
    """Whichever of the two the file holds. BadRules lists every problem."""
    return read_rules(_table(text))


def read_rules(table: Mapping[str, Any]) -> tuple[Policy | None, Ladder | None]:
    """The same, from what such a file holds."""
    problems: list[Problem] = [_unknown(key, _SECTIONS) for key in table if key not in _SECTIONS]
    policy = _checked(Policy, table["policy"], "policy", problems) if "policy" in table else None
    ladder = _checked(Ladder, _ladder(table), "ladder", problems) if "rung" in table or "ladder" in table else None
    if policy is None and ladder is None and not problems:
        problems.append(Problem("policy", "文件中没有政策也没有阶梯。", "the file has neither [policy] nor [[rung]]"))
    if problems:
        raise BadRules(tuple(problems))
    return policy, ladder


def rules_table(policy: Policy, ladder: Ladder) -> dict[str, Any]:
    """What `read_rules` reads back to the same two, with limits as people write them."""
    named = ladder.model_dump(mode="json", exclude_none=True)
    table = {"policy": policy.model_dump(mode="json", exclude_none=True), "rung": named.pop("rungs"), "ladder": named}
    plain: dict[str, Any] = _written(table)
    return plain


def _written(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        is_limit = value.keys() == {"value", "unit"}
        return f"{value['value']} {value['unit']}" if is_limit else {key: _written(each) for key, each in value.items()}
    return [_written(each) for each in value] if isinstance(value, list) else value


def parse_policy(text: str) -> Policy:
    policy, _ = parse_rules(text)
    if policy is None:
        raise BadRules((Problem("policy", "缺少 [policy] 一节。", "the table [policy] is missing"),))
    return policy


def parse_ladder(text: str) -> Ladder:
    _, ladder = parse_rules(text)
    if ladder is None:
        raise BadRules((Problem("rung", "缺少 [[rung]]。", "there is no [[rung]]"),))
    return ladder


@cache
def default_policy() -> Policy:
    return parse_policy(_shipped("policy.toml"))


@cache
def default_ladder() -> Ladder:
    return parse_ladder(_shipped("ladder.toml"))


def default_rules(calendar: Calendar) -> Rules:
    return Rules(policy=default_policy(), ladder=default_ladder(), calendar=calendar)


def _shipped(name: str) -> str:
    return (files("directory") / "data" / name).read_text(encoding="utf-8")


def _table(text: str) -> dict[str, Any]:
    try:
        if text.lstrip().startswith("{"):
            found: dict[str, Any] = json.loads(text, parse_float=Decimal)
            return found
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, InvalidOperation, RecursionError) as error:
        raise BadRules((Problem("TOML", "不是有效的 TOML 文件。", f"not a TOML file: {error}"),)) from None
    except json.JSONDecodeError as error:
        raise BadRules((Problem("JSON", "不是有效的 JSON 文件。", f"not a JSON file: {error}"),)) from None


def _ladder(table: Mapping[str, Any]) -> object:
    """A ladder without a name is one of a single city; its version starts at 1."""
    named = table.get("ladder", {})
    return {"id": "local", "version": 1, **named, "rungs": table.get("rung", [])} if isinstance(named, dict) else named


def _checked(model: type[_M], data: object, key: str, problems: list[Problem]) -> _M | None:
    """The model, or None and then every problem of it has been added to `problems`."""
    found: list[Problem] = []
    plain = _plain(model, data, key, found)
    try:
        result = model.model_validate(plain)
    except ValidationError as error:
        seen = {problem.key for problem in found}
        found += [p for p in _complaints(error, key, data) if p.key not in seen]
        result = None
    problems += found
    return result


# --- from what is comfortable to write to what the models take ---


def _plain(model: type[BaseModel], data: object, key: str, problems: list[Problem]) -> object:
    """`data` with its limits read and its unknown keys taken out and complained of."""
    if model is Limit and isinstance(data, str):
        return _limit(data, key, problems)
    if not isinstance(data, dict):
        return data
    problems += [
        _unknown(f"{key}.{name}", tuple(model.model_fields)) for name in data if name not in model.model_fields
    ]
    return {
        name: _nested(model.model_fields[name].annotation, value, _joined(key, name), problems)
        for name, value in data.items()
        if name in model.model_fields
    }


def _nested(annotation: object, value: object, key: str, problems: list[Problem]) -> object:
    model = _model_in(annotation)
    if model is None:
        return value
    if not isinstance(value, list):
        return _plain(model, value, key, problems)
    return [_plain(model, item, f"{key}[{_label(item, n)}]", problems) for n, item in enumerate(value)]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model inside `Model | None`, `tuple[Model, ...]` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _limit(text: str, key: str, problems: list[Problem]) -> object:
    match = _LIMIT.fullmatch(text)
    value, unit = match.groups() if match else ("", "")
    try:
        return {"value": Decimal(value), "unit": parse_unit(unit)}
    except (ValueError, InvalidOperation):
        units = ", ".join(LimitUnit)
        hint = f'write a number and a unit such as "2 work_hour"; units: {units}'
        problems.append(Problem(key, f"时限“{text}”无法识别，应为“数 单位”。", hint))
        return None


# --- complaints ---


def _unknown(key: str, known: tuple[str, ...]) -> Problem:
    return Problem(key, "未知的键，请检查拼写。", f"unknown key; known are {', '.join(known)}")


def _complaints(error: ValidationError, key: str, data: object) -> Iterator[Problem]:
    for entry in error.errors(include_url=False):
        chinese = _CHINESE.get(entry["type"], "取值有误。").format(**entry.get("ctx", {}))
        english = "it is missing; add it" if entry["type"] == "missing" else entry["msg"].removeprefix("Value error, ")
        yield Problem(_key(key, entry["loc"], data), chinese, english)


#: By pydantic's type of error; its own message is the English.
_CHINESE = {
    "missing": "缺少此项，请补上。",
    "enum": "不是允许的值。",
    "literal_error": "不是允许的值。",
    "greater_than": "须大于 {gt}。",
    "greater_than_equal": "不得小于 {ge}。",
    "less_than_equal": "不得大于 {le}。",
    "string_pattern_mismatch": "只能用小写字母、数字和下划线，以字母开头。",
    "decimal_max_places": "至多 {decimal_places} 位小数。",
    "model_type": "此处应为一个表。",
    "tuple_type": "此处应为一个列表。",
    "trigger": "须且只能写 used、overdue、returns、failed_inspections 之一，现有：{given}。",
    "same_id": "阶梯级别的 id 重复：{ids}。",
    "repeat": "级别 {rung} 有 repeat，但只有 overdue 的级别可以重复。",
    "too_often": "级别 {rung} 重复过密，至少相隔一小时。",
    "clock": "级别 {rung} 按次数触发，不应写 clock。",
}


def _key(root: str, loc: tuple[int | str, ...], data: object) -> str:
    """The place as it stands in the file: `rung[supervise].when.overdue`."""
    key = root
    for part in loc:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
            key = f"{key}[{_label(data, part)}]"
        else:
            data = data.get(part) if isinstance(data, dict) else None
            key = _joined(key, part)
    return key


def _joined(key: str, name: str) -> str:
    return "rung" if (key, name) == ("ladder", "rungs") else f"{key}.{name}"


def _label(item: object, index: int) -> object:
    """A rung is called by its id if it has one, anything else by its place, from 1."""
    name = item.get("id") if isinstance(item, dict) else None
    return name if isinstance(name, str) else index + 1
