"""A judge that finds nothing may be blind: here is what he finds in a stack whose worker is faulty in four ways.

The one real run of the suite. It goes by a script instead of by chance, so that each fault has its occasion.
"""

import asyncio
import shutil
from random import Random

import httpx

from chaos.campaign import Campaign, Order, run
from chaos.desk import Desk
from chaos.judge.evidence import Json
from chaos.judge.verdict import Verdict
from chaos.people import Person, Town

PLANTS = ("drop-recording", "rung-twice", "lose-command", "apply-twice")
CASES = 4


class Thorough(Person):
    """A supervisor who opens some cases, says something in each, and waits until all have been reminded."""

    async def work(self) -> None:
        opened = [await self._open() for _ in range(CASES)]
        for case in opened:
            for command, text in (("comment", "text"), ("urge", "note"), ("comment", "text"), ("comment", "text")):
                key = self.desk.key()
                await self.desk.give(key, command, case, {text: f"照办 #{key}"})
        while not all([await self._reminded(case) for case in opened]):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.1)  # the clock of the city is not ours to move

    async def _open(self) -> str:
        key = self.desk.key()
        report: Json = {"category": "E0110", "description": f"垃圾 #{key}", "address": "青石街 8 号"}
        opened = await self.desk.give(key, "open", None, report)
        assert opened is not None
        case: str = opened["id"]
        return case

    async def _reminded(self, case: str) -> bool:
        log = await self.desk.look(f"/cases/{case}/events")
        return any(event["type"] == "RungFired" for event in (log or {"items": []})["items"])


class Scripted(Campaign):
    def people(self, clients: dict[str, httpx.AsyncClient]) -> list[Person]:
        user = "supervisor"
        desk = Desk(user, user, clients[user], self.journal, self.closing, self.given_up)
        return [Thorough("supervisor", desk, Town(), Random(0))]  # noqa: S311 - nothing is left to it


def kinds(verdict: Verdict, what: str) -> set[str]:
    return {finding.kind for finding in verdict.findings if what in finding.what}


async def test_every_planted_fault_is_found() -> None:
    said: list[str] = []
    outcome = await run(Order("sqlite", 0, seed=1, plants=PLANTS), said.append, kind=Scripted)
    shutil.rmtree(outcome.folder, ignore_errors=True)
    verdict = outcome.verdict
    assert "differing" in kinds(verdict, "holes in the lists"), said
    assert kinds(verdict, "fired 2 times") == {"rungs_twice"}
    assert kinds(verdict, "urge supervisor-") == {"lost"}
    assert kinds(verdict, "happened 2 times") == {"duplicated"}
