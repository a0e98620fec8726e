"""What is wrong with a catalogue beyond its single values: doubles, clashes, and the two classes that changed places.

**The trap.** In the current order of event classes 04 is street order 街面秩序 and 05 emergencies 突发事件; older
systems have them the other way round. Taken by its numbers, their list turns a hawker into an emergency. The names
under the numbers give it away.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from directory.catalogue_lines import NEEDED, SHARED, Line
from directory.rules import Problem

#: How our codes begin. A list that numbers components and events both from 01 needs it to keep them apart.
LETTERS: Mapping[str, str] = {"C": "component", "E": "event", "W": "checkpoint"}
_LETTERED = re.compile(r"([CEW])[-0-9]")
_CODE = re.compile(r"[^\s;/]{1,64}")
_SWAPPED_CLASS = re.compile(r"(E?0)([45])(.*)", re.DOTALL)
_OTHER = {"4": "5", "5": "4"}
#: What the names of the two classes' categories speak of.
_EMERGENCY = re.compile("突发|应急|破裂|爆裂|泄漏|塌陷|积水|积雪|积冰|脱落|坠物|坠落|倒塌")
_STREET_ORDER = re.compile("秩序|经营|游商|停放|停车|夜市|乞讨|出版物|废品|消防通道|促销|单车|摊点|拉客|农贸市场")


def doubts(lines: Sequence[Line]) -> list[Problem]:
    """Whatever order 04 and 05 stand in: see `in_old_order`."""
    return [*_empty(lines), *_codes(lines), *_doubles(lines), *_clashes(lines), *_disagreements(lines)]


def in_old_order(lines: Iterable[Line]) -> bool:
    """Whether more names under 04 and 05 speak for the other class than for their own."""
    votes = {line.cells["category"]: _vote(line.cells) for line in lines if line.cells["kind"] == "event"}
    return sum(votes.values()) > 0


def old_order_problem(lines: Iterable[Line]) -> Problem:
    line = next(line for line in lines if line.cells["kind"] == "event" and _vote(line.cells) > 0)
    name = f"{line.cells['category']} {line.cells['name_zh']}"
    return line.problem(
        "category",
        f"事件大类 04、05 与现行次序相反（{name}）：现行 04 为街面秩序，05 为突发事件。请加 --old-order 重新编号。",
        f"event classes 04 and 05 stand in the old order ({name}): today 04 is street order, 05 emergencies. "
        "Renumber with --old-order",
    )


def not_old_order_problem(lines: Sequence[Line]) -> Problem:
    zh = "事件大类 04、05 已是现行次序，请去掉 --old-order。"
    return lines[0].problem("category", zh, "event classes 04 and 05 stand in the current order; leave out --old-order")


def renumbered(line: Line) -> Line:
    """With event classes 04 and 05 exchanged, in the codes of categories and conditions."""
    if line.cells["kind"] != "event":
        return line
    changed = {column: _exchanged(line.cells[column]) for column in ("category", "condition")}
    return Line(line.place, {**line.cells, **changed})


def _exchanged(code: str) -> str:
    match = _SWAPPED_CLASS.fullmatch(code)
    return f"{match[1]}{_OTHER[match[2]]}{match[3]}" if match else code


def _vote(cells: Mapping[str, str]) -> int:
    """1: the names speak for the other class; -1: for this one; 0: for neither, or it is another class."""
    own = _speaks_for_its_class(cells["category"], cells["big_zh"], cells["name_zh"])
    return 0 if own is None else -1 if own else 1


def is_of_the_other_class(code: str, name: str) -> bool:
    """Whether what somebody calls by this name can hardly be what the code in 04 or 05 means."""
    return _speaks_for_its_class(code, name) is False


def _speaks_for_its_class(code: str, *names: str) -> bool | None:
    """By the first of the names that says anything. None: none does, or the code is of another class."""
    match = _SWAPPED_CLASS.fullmatch(code)
    meant = next(filter(None, map(_meaning, names)), None)
    return None if match is None or meant is None else match[2] == meant


def _meaning(name: str) -> str | None:
    """The class, in the current order, that the name belongs to."""
    emergency, order = _EMERGENCY.search(name), _STREET_ORDER.search(name)
    if bool(emergency) == bool(order):
        return None
    return "5" if emergency else "4"


def _empty(lines: Iterable[Line]) -> Iterator[Problem]:
    for line in lines:
        for column in NEEDED:
            if not line.cells[column]:
                yield line.problem(column, "不能为空。", "it is empty")


def _codes(lines: Iterable[Line]) -> Iterator[Problem]:
    for line in lines:
        for column in ("category", "condition"):
            code = line.cells[column]
            if code and not _CODE.fullmatch(code):
                yield line.problem(
                    column, f"编码“{code}”含有空格、分号或斜线，或超过 64 个字符。", "no spaces, `;` or `/`, 64 at most"
                )
        letter = _LETTERED.match(line.cells["category"])
        if letter and line.cells["kind"] in LETTERS.values() and LETTERS[letter[1]] != line.cells["kind"]:
            wanted = LETTERS[letter[1]]
            yield line.problem(
                "kind", f"以 {letter[1]} 开头的编码应为 {wanted}。", f"codes in {letter[1]} are {wanted}"
            )


def _doubles(lines: Sequence[Line]) -> Iterator[Problem]:
    counted = Counter(line.cells["condition"] for line in lines)
    for line in lines:
        if (code := line.cells["condition"]) and counted[code] > 1:
            yield line.problem(
                "condition", f"立案条件 {code} 重复。", f"condition {code} is given {counted[code]} times"
            )


def _clashes(lines: Sequence[Line]) -> Iterator[Problem]:
    """One number for a component and an event: both lists of the standard begin at 01."""
    kinds: dict[str, str] = {}
    for line in lines:
        code, kind = line.cells["category"], line.cells["kind"]
        if code and kinds.setdefault(code, kind) != kind:
            yield line.problem(
                "category",
                f"编码 {code} 既是 {kinds[code]} 又是 {kind}。请在部件前加 C，事件前加 E。",
                f"{code} is both {kinds[code]} and {kind}; put C before components and E before events",
            )


def _disagreements(lines: Sequence[Line]) -> Iterator[Problem]:
    """Lines of one category that are torn apart or tell different things of it."""
    first: dict[str, Line] = {}
    last = ""
    for line in lines:
        code = line.cells["category"]
        before = first.setdefault(code, line)
        if before is not line and code != last:
            yield line.problem("category", f"小类 {code} 的各行须相连。", f"the lines of {code} must stand together")
        differing = [name for name in SHARED if name != "kind" and line.cells[name] != before.cells[name]]
        if differing:
            names = ", ".join(differing)
            yield line.problem(
                names, f"与 {code} 的首行（{before.place}）不一致。", f"not as in the first line of {code}"
            )
        last = code
