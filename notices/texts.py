"""What a notice says: Chinese first, English second; a case by its number, its problem, its area and its deadline.

No address, no description, nobody's name: messages lie on other people's servers. Whoever needs more follows the link,
and signs in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.words import ACTIONS, STAGES, Words
from store.notices import Item, Names

#: By the event; a rung is called by its action.
KINDS: dict[str, Words] = {
    "CaseDispatched": ("新派遣", "dispatched to you"),
    "CaseReturned": ("退回待派", "returned, to be dispatched anew"),
    "CaseDismissed": ("不予立案", "dismissed"),
    "CaseUrged": ("催办", "urged"),
    "CaseSupervised": ("督办", "under supervision"),
    "SupervisionExpired": ("督办到期", "supervision expired"),
    "MilestoneMissed": ("分段超期", "milestone missed"),
    "CoUnitLate": ("协办超期", "co-unit late"),
    "PlanSubmitted": ("方案待审批", "a plan to be decided on"),
    "PlanApproved": ("方案已批准", "plan approved"),
    "PlanRefused": ("方案未批准", "plan refused"),
    "ReportJoined": ("已合并上报", "your report was joined to it"),
    "ExtensionGranted": ("延期已同意", "extension granted"),
    "ExtensionRefused": ("延期未同意", "extension refused"),
    "InspectionFailed": ("核查不通过，返工", "inspection failed, rework"),
    "InspectionPassed": ("核查通过", "inspection passed"),
    "CaseReopened": ("重开", "reopened"),
    "AppealGranted": ("申诉成立", "appeal granted"),
    "AppealRefused": ("申诉不成立", "appeal refused"),
}
_OVERDUE: Words = ("已超期", "overdue")
_NO_DEADLINE: Words = ("无", "none")


@dataclass(frozen=True, slots=True)
class Message:
    """`tells`: how many of the items it names, from the first on."""

    title: str
    body: str
    tells: int


@dataclass(frozen=True, slots=True)
class Style:
    """`public_url` is where people reach the API, if that is known; `zone` the city's."""

    zone: ZoneInfo
    public_url: str | None = None

    def link(self, case_id: str) -> str | None:
        return f"{self.public_url.rstrip('/')}/api/v1/cases/{case_id}" if self.public_url else None

    def moment(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


def compose(items: Sequence[Item], names: Names, style: Style, longest: int) -> Message:
    """One item in full; several as a list of as many as `longest` (bytes of UTF-8) has room for, at least one."""
    if len(items) > 1:
        return _digest(items, names, style, longest)
    message = _single(items[0], names, style)
    room = longest - len(message.title.encode())
    return Message(message.title, message.body.encode()[:room].decode(errors="ignore"), 1)


def trial() -> Message:
    """To see whether a channel works."""
    return Message("【测试】整改案卷通知 test", "通道可用。\nThis channel works.", 0)


def _single(item: Item, names: Names, style: Style) -> Message:
    what, problem, area = _what(item), _problem(item, names), _area(item, names)
    link = style.link(item.case_id)
    chinese = [
        f"【{what[0]}】案卷 {item.case_id}",
        f"问题：{problem[0]}",
        f"辖区：{area[0]}",
        f"阶段：{_stage(item)[0]}　时限：{_due(item, style)[0]}",
        f"时间：{style.moment(item.at)}",
    ]
    english = [
        f"[{what[1]}] case {item.case_id}",
        f"Problem: {problem[1]}",
        f"Area: {area[1]}",
        f"Stage: {_stage(item)[1]}; due: {_due(item, style)[1]}",
        f"At: {style.moment(item.at)}",
    ]
    lines = [*chinese, "", *english, *(["", link] if link else [])]
    return Message(f"【{what[0]}】{item.case_id} {what[1]}", "\n".join(lines), 1)


def _digest(items: Sequence[Item], names: Names, style: Style, longest: int) -> Message:
    room = longest - len(_heading(len(items)).encode()) - len(_lead(len(items)).encode())
    lines: list[str] = []
    for item in items:
        line = _line(item, names, style)
        room -= len(line.encode()) + 1
        if lines and room < 0:
            break
        lines.append(line)
    return Message(_heading(len(lines)), "\n".join([_lead(len(lines)), *lines]), len(lines))


def _heading(count: int) -> str:
    return f"【整改案卷】{count} 条通知 {count} notices"


def _lead(count: int) -> str:
    return f"以下 {count} 条，详情请登录查看。 {count} notices; sign in for more."


def _line(item: Item, names: Names, style: Style) -> str:
    what = "/".join(_what(item))
    due = f" ⏱{item.due_at.astimezone(style.zone):%m-%d %H:%M}" if item.due_at else ""
    late = f" {_OVERDUE[0]}" if item.overdue else ""
    return f"{item.case_id} {what} · {_category(item, names)[0]}{due}{late}"


def _what(item: Item) -> Words:
    known = ACTIONS.get(item.action or "") if item.kind == "RungFired" else KINDS.get(item.kind)
    return known or (item.kind, item.kind)


def _category(item: Item, names: Names) -> Words:
    found = names.categories.get(item.category)
    return (found.name_zh, found.name_en) if found else (item.category, item.category)


def _problem(item: Item, names: Names) -> Words:
    category, found = _category(item, names), names.categories.get(item.category)
    wrong = next((each for each in found.conditions if each.id == item.condition), None) if found else None
    if wrong is None:
        return category
    return f"{category[0]}：{wrong.text_zh}", f"{category[1]}: {wrong.text_en}"


def _area(item: Item, names: Names) -> Words:
    steps = [names.areas[step] for step in item.area.strip("/").split("/") if step in names.areas]
    if not steps:
        return item.area, item.area
    return " › ".join(each.name_zh for each in steps), " › ".join(each.name_en for each in steps)


def _stage(item: Item) -> Words:
    return STAGES.get(item.stage, (item.stage, item.stage))


def _due(item: Item, style: Style) -> Words:
    if item.due_at is None:
        return _NO_DEADLINE
    due = style.moment(item.due_at)
    return (f"{due}（{_OVERDUE[0]}）", f"{due} ({_OVERDUE[1]})") if item.overdue else (due, due)
