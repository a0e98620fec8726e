"""`rectify rebuild`: makes the read model of the running cases anew, while everything runs, and audits it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from commands.audit import show
from commands.installation import AsJson, Data, Stop, installation, progress, run

if TYPE_CHECKING:
    from upkeep.audit import Report
    from upkeep.rebuild import Rebuilt

#: Seconds before each look at whether the cases have written themselves down: thousands may stand in line.
_PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


def rebuild(
    data: Data = None,
    remove_ghosts: Annotated[
        bool,
        typer.Option("--remove-ghosts", help="多数案卷 Temporal 不认识也删除 even if Temporal knows few of the cases"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """重建读模型 Make the lists anew from the running cases, at any time. Exit as `rectify audit`."""

    async def work() -> "tuple[Rebuilt, Report]":
        from upkeep.audit import audit
        from upkeep.rebuild import Doubtful, Rebuild

        async with installation(data) as (engine, database):
            with progress("重建 rebuilding") as shown:
                try:
                    tally = await Rebuild(engine, database, remove_ghosts=remove_ghosts, progress=shown).run()
                except Doubtful as doubt:
                    raise Stop(_doubt(doubt.args[0])) from None
            with progress("核对 auditing") as shown:
                return tally, await audit(engine, database, looks=_PATIENCE, progress=shown)

    tally, report = run(work)
    if not as_json:
        typer.echo(_summary(tally))
    show(report, as_json, **asdict(tally))
    raise typer.Exit(bool(report.differences))


def _doubt(ghosts: int) -> str:
    return (
        f"Temporal 不认识其中 {ghosts} 件在办案卷，未作任何改动。若确是这个 Temporal，请加 --remove-ghosts。 "
        f"Temporal does not know {ghosts} of the running cases, nothing was changed. "
        "If it is the right Temporal, use --remove-ghosts"
    )


def _summary(tally: "Rebuilt") -> str:
    lines = [
        f"重建 rebuilt    {tally.rebuilt}",
        f"补记结案 endings restored    {tally.restored}",
        f"删除 removed (unknown to Temporal)    {tally.removed}",
    ]
    if tally.silent:
        lines.append(f"未应答，请重跑 no answer, run it again    {tally.silent}")
    if tally.stopped:
        lines.append(f"流程被人为终止，需人工处理 ended from outside, decide by hand    {', '.join(tally.stopped)}")
    return "\n".join(lines)
