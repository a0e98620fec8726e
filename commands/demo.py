"""`rectify demo`: seven cases live their whole lives on the real engine while you watch, with time skipped."""

import asyncio
import time
from datetime import UTC, datetime

import typer


def demo() -> None:
    """演示：七个案卷在真实引擎上快进走完一生 Seven cases live their whole lives on the real engine, time skipped."""
    if not asyncio.run(_demo()):
        raise typer.Exit(1)


async def _demo() -> bool:
    """Whether every scenario came out as it should."""
    from commands.case_lines import Names
    from demo import engine, play, printing, scenarios
    from directory.demo_city import demo_directory

    began, out, names = time.monotonic(), printing.console(), Names(demo_directory())
    every = scenarios.all_scenarios(datetime.now(UTC))
    async with engine.stage() as stage:
        played = await asyncio.gather(*(play.play(stage, scenario) for scenario in every))
    for number, each in enumerate(played, start=1):
        printing.print_scenario(out, each, f"{number} / {len(every)}", names)
    printing.print_summary(out, played, time.monotonic() - began)
    return all(each.good for each in played)
