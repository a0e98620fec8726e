"""The state machine as a document, printed from the table that runs it. `docs/states.md` is this text."""

from collections.abc import Iterator

from domain.case import OPEN, RUNNING, Stage
from domain.lifecycle import TABLE, Rule
from domain.words import COMMANDS, STAGES

_HEAD = """\
# The states of a case 案卷的状态

Printed from `domain/lifecycle.py` by `python -m domain.printing > docs/states.md`; a test compares the two.
The order of a refusal: 404 whoever may not see the case, 403 whoever has no hand in the command, 409 the stage,
409 the first condition that does not hold, 422 what is wrong with the body itself.
"""
_CLOCKS = {
    Stage.INTAKE: "intake limit 核实时限",
    Stage.ASSIGNMENT: "dispatch, then acceptance limit 派遣、签收时限; the unit's own runs from dispatch",
    Stage.RECTIFICATION: "the condition's limit 处置时限",
    Stage.REINSPECTION: "inspection limit 核查时限",
    Stage.CLOSURE: "closure window 结案后窗口",
}


def states() -> str:
    parts = (
        _HEAD,
        "## Stages 阶段",
        *_stages(),
        "",
        "## Commands 操作",
        *_commands(),
        "",
        "## By stage 各阶段可用操作",
    )
    return "\n".join((*parts, *_by_stage())) + "\n"


def _stages() -> Iterator[str]:
    yield from ("", "| stage | 阶段 | kind | its clock |", "|---|---|---|---|")
    for stage in Stage:
        kind = "open" if stage in OPEN else "closed, window open" if stage in RUNNING else "ended ■"
        yield f"| `{stage}` | {STAGES[stage][0]} | {kind} | {_CLOCKS.get(stage, '—')} |"


def _commands() -> Iterator[str]:
    yield from ("", "| command | 操作 | in | by | leads to | may be refused with |", "|---|---|---|---|---|---|")
    for rule in TABLE:
        name = rule.command.name
        stages = ", ".join(f"`{stage}`" for stage in Stage if stage in rule.stages)
        hands = "; ".join(rule.hands)
        yield f"| `{name}` | {COMMANDS[name][0]} | {stages} | {hands} | {rule.leads_to} | {_conditions(rule)} |"


def _conditions(rule: Rule) -> str:
    codes = [guard.code for guard in rule.guards] + [guard.code for guard in rule.caller_guards]
    return ", ".join(f"`{code}`" for code in codes) or "—"


def _by_stage() -> Iterator[str]:
    yield from ("", "| stage | 阶段 | commands |", "|---|---|---|")
    for stage in Stage:
        names = ", ".join(f"`{rule.command.name}`" for rule in TABLE if stage in rule.stages)
        yield f"| `{stage}` | {STAGES[stage][0]} | {names or '—'} |"


if __name__ == "__main__":
    import sys

    sys.stdout.write(states())
