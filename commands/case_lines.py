"""What each event of a case says to a reader, Chinese first, English second. Knows no layout and no database."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from directory.model import Directory
from domain import events as e
from domain.actors import Actor
from domain.words import ACTIONS, AUDIENCES, CLOCKS, Words

_WEEKDAYS = tuple(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))

SOURCES: dict[str, Words] = {
    "officer": ("网格员巡查", "officer on patrol"),
    "supervision": ("督查", "supervision"),
    "resident": ("群众上报", "resident"),
    "hotline": ("热线", "hotline"),
    "system": ("系统", "system"),
    "import": ("导入", "import"),
}
OUTCOMES: dict[str, Words] = {
    "rectified": ("整改完成", "rectified"),
    "self_handled": ("自行处置", "put right on the spot"),
    "dismissed": ("不予立案", "dismissed"),
    "withdrawn": ("作废", "withdrawn"),
    "force_closed": ("强制结案", "force-closed"),
}
TITLES: dict[type, Words] = {
    e.CaseOpened: ("立案", "opened"),
    e.CaseSelfHandled: ("自行处置", "self-handled"),
    e.CaseVerified: ("核实", "verified"),
    e.CaseDismissed: ("不予立案", "dismissed"),
    e.CaseDispatched: ("派遣", "dispatched"),
    e.CaseAccepted: ("签收", "accepted"),
    e.CaseReturned: ("退回", "returned"),
    e.MilestoneReported: ("分段完成", "milestone done"),
    e.MilestoneMissed: ("分段超期", "milestone missed"),
    e.CoUnitSubmitted: ("协办反馈", "co-unit submitted"),
    e.CoUnitLate: ("协办超期", "co-unit late"),
    e.PlanSubmitted: ("报送方案", "plan submitted"),
    e.PlanApproved: ("方案批准", "plan approved"),
    e.PlanRefused: ("方案退改", "plan refused"),
    e.ReportJoined: ("合并上报", "report joined"),
    e.RectificationSubmitted: ("处置反馈", "submitted"),
    e.ExtensionRequested: ("申请延期", "extension asked"),
    e.ExtensionGranted: ("同意延期", "extension granted"),
    e.ExtensionRefused: ("不同意延期", "extension refused"),
    e.CaseSuspended: ("挂账", "suspended"),
    e.SuspensionEnded: ("恢复计时", "suspension ended"),
    e.InspectionPassed: ("核查通过", "inspection passed"),
    e.InspectionFailed: ("核查不通过", "inspection failed"),
    e.InspectionImpossible: ("无法核查", "inspection impossible"),
    e.CaseUrged: ("催办", "urged"),
    e.CaseSupervised: ("督办", "supervised"),
    e.SupervisionExpired: ("督办到期", "supervision expired"),
    e.CaseWithdrawn: ("作废", "withdrawn"),
    e.CaseForceClosed: ("强制结案", "force-closed"),
    e.CaseRated: ("评价", "rated"),
    e.AppealFiled: ("申诉", "appeal filed"),
    e.AppealSupported: ("申诉初审同意", "appeal supported"),
    e.AppealGranted: ("申诉成立", "appeal granted"),
    e.AppealRefused: ("申诉不成立", "appeal refused"),
    e.CaseReopened: ("重开", "reopened"),
    e.CommentAdded: ("留言", "comment"),
    e.DeadlinePassed: ("超期", "overdue"),
    e.RungFired: ("升级", "escalation"),
    e.CalendarChanged: ("日历更新", "calendar changed"),
    e.RulesChanged: ("规则更新", "rules changed"),
    e.CaseArchived: ("归档", "archived"),
    e.CaseImported: ("导入", "imported"),
}


def both(words: Words) -> str:
    return " ".join(words)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """To the nearest minute: a deadline moved by a command is a few milliseconds off the round one."""
    local = (at + timedelta(seconds=30)).astimezone(zone)
    chinese, english = _WEEKDAYS[local.weekday()]
    return f"{local:%Y-%m-%d} 周{chinese} {english} {local:%H:%M}"


def hours(seconds: float) -> str:
    """`11:40`, to the nearest minute."""
    whole, minutes = divmod(round(seconds / 60), 60)
    return f"{whole}:{minutes:02}"


class Names:
    """What the directory calls units, people, areas and conditions; the bare id where it knows none."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.zone = ZoneInfo(directory.zone)

    def unit(self, unit_id: str | None) -> str:
        if unit_id is None:
            return "待派遣 not dispatched"
        unit = self._directory.unit_by_id.get(unit_id)
        return f"{unit.name_zh} {unit.name_en}" if unit else unit_id

    def who(self, actor: Actor | None) -> str:
        """A unit's people by their unit, the two languages below each other: these names are long."""
        unit = self._directory.unit_by_id.get(actor.unit or "") if actor else None
        if unit is not None:
            return f"{unit.name_zh}\n{unit.name_en}"
        return self.user(actor.user) if actor else "系统 system"

    def user(self, user_id: str) -> str:
        user = self._directory.user_by_id.get(user_id)
        return user.name if user else user_id

    def area(self, path: str) -> str:
        """The whole way in Chinese, the last step in English too."""
        known = self._directory.area_by_id
        areas = [known[step] for step in path.strip("/").split("/") if step in known]
        return f"{' › '.join(area.name_zh for area in areas)} {areas[-1].name_en}" if areas else path

    def problem(self, category: str, condition: str) -> tuple[str, str]:
        """Category and condition."""
        kind = self._directory.category_by_code.get(category)
        found = self._directory.condition_by_id.get(condition)
        return (
            f"{category} {kind.name_zh} {kind.name_en}" if kind else category,
            f"{condition} {found.text_zh} {found.text_en}" if found else condition,
        )


def title(fact: e.Fact) -> str:
    """A rung is called by what it does."""
    return both(ACTIONS[fact.action]) if isinstance(fact, e.RungFired) else both(TITLES[type(fact)])


def notes(fact: e.Fact, names: Names) -> list[str]:
    """What is particular to the fact, then what its author wrote, then how many photos came with it."""
    particular = _PARTICULARS.get(type(fact))
    lines = [particular(fact, names)] if particular else []
    if not isinstance(fact, e.CaseOpened):
        said = (getattr(fact, name, None) for name in ("reason", "note", "requirement", "text", "comment"))
        lines += [text for text in said if text]
    photos = len(getattr(fact, "evidence", ()))
    if photos:
        lines.append(f"照片 photos: {photos}")
    return [line for line in lines if line]


def _dispatched(fact: e.CaseDispatched, names: Names) -> str:
    parts = [f"→ {names.unit(fact.unit)}"]
    parts += [f"协办 with {names.unit(unit)}" for unit in fact.co_units]
    if fact.routed:
        parts.append("（自动 routed）")
    if fact.final:
        parts.append("（终局派遣，不得退回 final, cannot be returned）")
    return " ".join(parts)


def _accepted(fact: e.CaseAccepted, _names: Names) -> str:
    return "逾期未签收，视为签收 silence counts as acceptance" if fact.deemed else ""


def _returned(fact: e.CaseReturned, names: Names) -> str:
    return f"建议 suggested: {names.unit(fact.suggested_unit)}" if fact.suggested_unit else ""


def _submitted(fact: e.RectificationSubmitted, _names: Names) -> str:
    return f"用时 used {used(fact)}"


def used(fact: e.RectificationSubmitted) -> str:
    share = round(100 * fact.used_seconds / fact.limit_seconds) if fact.limit_seconds else 0
    return f"{hours(fact.used_seconds)} / {hours(fact.limit_seconds)} h ({share} %)"


def _new_limit(fact: e.ExtensionGranted | e.InspectionFailed | e.CaseReopened, _names: Names) -> str:
    return f"时限改为 limit now {fact.limit.describe()} {fact.limit.describe('en')}"


def _suspended(fact: e.CaseSuspended, names: Names) -> str:
    return f"至 until {moment(fact.until, names.zone)}"


def _resumed(fact: e.SuspensionEnded, names: Names) -> str:
    return "提前恢复 early" if fact.early else f"到期自动恢复 by itself, from {moment(fact.resumed_at, names.zone)}"


def _passed(fact: e.DeadlinePassed, _names: Names) -> str:
    return f"{CLOCKS[fact.clock][0]}时限已过 the {CLOCKS[fact.clock][1]} limit has run out"


def _fired(fact: e.RungFired, _names: Names) -> str:
    told = "、".join(both(AUDIENCES[audience]) for audience in fact.notify)
    share = f"，时限已用 used {round(100 * fact.share)} %" if fact.share is not None else ""
    count = f"，累计 count {fact.count}" if fact.count is not None else ""
    again = f"，第 {fact.times} 次 time {fact.times}" if fact.times > 1 else ""
    return f"{fact.level} 级 level {fact.level} → {told}{share}{count}{again}"


def _recalendared(fact: e.CalendarChanged, _names: Names) -> str:
    calendar = fact.calendar
    version = f"第 {calendar.version} 版 version {calendar.version}"
    return f"{calendar.id} {version}，公布至 official to {calendar.official_through}"


def _reruled(fact: e.RulesChanged, _names: Names) -> str:
    policy, ladder = fact.policy, fact.ladder
    return f"{policy.id} 第 {policy.version} 版 version {policy.version}，{ladder.id} {ladder.version}"


def _milestone(fact: e.MilestoneReported | e.MilestoneMissed, _names: Names) -> str:
    return f"第 {fact.milestone} 段 milestone {fact.milestone}"


def _rated(fact: e.CaseRated, _names: Names) -> str:
    return f"{fact.score} 分 of 5"


def _imported(fact: e.CaseImported, names: Names) -> str:
    status = f"（{fact.status}）" if fact.status else ""
    unit = f"，{names.unit(fact.unit)}" if fact.unit else ""
    return f"来自 from {fact.system}: {both(OUTCOMES[fact.outcome])}{status}{unit}"


_PARTICULARS: dict[type, Callable[[Any, Names], str]] = {
    e.CaseOpened: lambda fact, _names: fact.description,
    e.CaseDispatched: _dispatched,
    e.CaseAccepted: _accepted,
    e.CaseReturned: _returned,
    e.MilestoneReported: _milestone,
    e.MilestoneMissed: _milestone,
    e.CoUnitSubmitted: lambda fact, names: names.unit(fact.unit),
    e.RectificationSubmitted: _submitted,
    e.ExtensionGranted: _new_limit,
    e.CaseSuspended: _suspended,
    e.SuspensionEnded: _resumed,
    e.InspectionFailed: _new_limit,
    e.CaseReopened: _new_limit,
    e.DeadlinePassed: _passed,
    e.RungFired: _fired,
    e.CalendarChanged: _recalendared,
    e.RulesChanged: _reruled,
    e.CoUnitLate: lambda fact, names: names.unit(fact.unit),
    e.ReportJoined: lambda fact, _names: fact.description,
    e.CaseRated: _rated,
    e.CaseImported: _imported,
}
