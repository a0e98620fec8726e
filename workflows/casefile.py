"""How a case reads in Temporal's own UI, Chinese first. No description, address or name: operators may see it."""

from zoneinfo import ZoneInfo

from domain.case import Snapshot
from domain.words import STAGES

_ZONE = ZoneInfo("Asia/Shanghai")


def summary(case: Snapshot) -> str:
    """One line for lists."""
    return f"{case.condition} · {case.grid or case.area} · {case.severity}"


def details(case: Snapshot) -> str:
    """The state of the case, in Markdown."""
    lines = [
        summary(case),
        "",
        f"**{STAGES[case.stage][0]}** {case.stage} · 第 {case.round} 轮 round {case.round}",
        f"- 责任单位 unit: {case.lead_unit or '待派遣 not dispatched'}",
    ]
    if case.due_at:
        late = " **超期 overdue**" if case.late_since else ""
        lines.append(f"- 时限 due: {case.due_at.astimezone(_ZONE):%Y-%m-%d %H:%M}{late}")
    if case.suspended_until:
        lines.append(f"- 挂账至 suspended until: {case.suspended_until.astimezone(_ZONE):%Y-%m-%d %H:%M}")
    lines.append(f"- 升级 level {case.escalation_level} · 退回 returns {case.returns} · 返工 {case.failed_inspections}")
    return "\n".join(lines)
