"""What is wrong with a field, in the caller's language: pydantic's reasons, shortened to what a client can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.words import Lang, Words

_REASONS: dict[str, Words] = {
    "missing": ("缺少此项", "it is missing"),
    "extra_forbidden": ("没有这一项", "there is no such field"),
    "string_too_long": ("最多 {max_length} 个字符", "at most {max_length} characters"),
    "string_too_short": ("不能为空", "it is empty"),
    "string_type": ("应为文字", "it must be text"),
    "string_unicode": ("应为有效的 UTF-8 文字", "it must be valid UTF-8 text"),
    "string_pattern_mismatch": ("格式不符", "it does not have the right form"),
    "too_long": ("最多 {max_length} 项", "at most {max_length} items"),
    "enum": ("应为以下之一：{expected}", "one of {expected}"),
    "literal_error": ("应为以下之一：{expected}", "one of {expected}"),
    "int_parsing": ("应为整数", "it must be a whole number"),
    "int_type": ("应为整数", "it must be a whole number"),
    "int_from_float": ("应为整数", "it must be a whole number"),
    "float_parsing": ("应为数字", "it must be a number"),
    "float_type": ("应为数字", "it must be a number"),
    "bool_parsing": ("应为 true 或 false", "true or false"),
    "bool_type": ("应为 true 或 false", "true or false"),
    "greater_than": ("应大于 {gt}", "it must be greater than {gt}"),
    "greater_than_equal": ("不能小于 {ge}", "at least {ge}"),
    "less_than_equal": ("不能大于 {le}", "at most {le}"),
    "timezone_aware": ("时间应带时区，如 +08:00", "the time needs an offset, such as +08:00"),
    "value_error": ("含有控制字符或无效的值", "it holds a control character or a value that cannot be"),
}
_UNKNOWN: Words = ("格式不符", "it does not have the right form")
_PLACES = frozenset({"body", "query", "path", "header"})
#: Nobody mends more at once.
_MOST = 20


def explain(errors: Sequence[Mapping[str, Any]], lang: Lang) -> list[dict[str, str]]:
    return [{"field": _field(each["loc"]), "reason": _reason(each, lang)} for each in errors[:_MOST]]


def _reason(error: Mapping[str, Any], lang: Lang) -> str:
    words = _REASONS.get(error["type"], _UNKNOWN)
    return words[lang == "en"].format_map(error.get("ctx") or {})


def _field(place: tuple[int | str, ...]) -> str:
    """As the caller named it, which may be in characters that nobody can write."""
    names = ".".join(str(part) for part in place if part not in _PLACES)[:100]
    return names.encode(errors="replace").decode() or "body"
