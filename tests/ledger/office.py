"""An engine and an archive in memory, a small city, and ledgers written line by line."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from directory.calendars import default_calendar, snapshot
from directory.model import Directory
from directory.places import Places
from directory.reporting import City
from directory.rules import default_rules
from domain.commands import Opening
from domain.errors import Unavailable
from domain.record import Record
from ledger.founding import enlarged, founded
from ledger.mapping import Map, parse_map
from ledger.reading import LedgerFile
from ledger.refusals import RefusedFile
from ledger.run import Archive, Engine, Run, Tally

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)  # noon in Shanghai

MAP = """
system = "old-town"
reference = "编号"
description = "{问题}"
address = "{地址}"

[file]
delimiter = ","

[time]
zone = "Asia/Shanghai"
discovered = "发现时间"
formats = ["%Y-%m-%d %H:%M", "%Y/%m/%d %p %I:%M"]

[closed]
column = "结案时间"

[position]
lon = "经度"
lat = "纬度"
datum = "gcj02"

[category]
column = "类别"
values = { "垃圾" = "E0110", "围栏" = "E0101-2" }

[[area]]
level = "district"
column = "区"

[unit]
column = "单位"

[city]
id = "old-town"
name_zh = "老城市"
name_en = "Old Town"
zone = "Asia/Shanghai"
"""
HEADER = "编号,发现时间,结案时间,类别,问题,地址,经度,纬度,区,单位"
ROW = {
    "编号": "A-1",
    "发现时间": "2026-03-01 09:30",
    "结案时间": "",
    "类别": "垃圾",
    "问题": "巷口垃圾",
    "地址": "桥头巷3号",
    "经度": "",
    "纬度": "",
    "区": "东区",
    "单位": "环卫处",
}


def line(**changes: str) -> str:
    """A row that is right, but for the changes."""
    return ",".join({**ROW, **changes}.values())


def text(*lines: str) -> str:
    return "\n".join((HEADER, *lines)) + "\n"


@dataclass(frozen=True)
class Answered:
    created: bool


@dataclass
class FakeEngine:
    """Opens in memory; `away` calls fail first."""

    openings: dict[str, Opening] = field(default_factory=dict)
    away: int = 0

    async def open(self, opening: Opening, digest: str) -> Answered:
        if self.away:
            self.away -= 1
            raise Unavailable("engine_unavailable")
        assert digest
        created = self.openings.setdefault(opening.id, opening) is opening
        return Answered(created)

    async def running(self) -> AsyncIterator[str]:
        for case in tuple(self.openings):
            yield case


@dataclass
class FakeArchive:
    records: dict[str, Record] = field(default_factory=dict)

    async def record(self, record: Record) -> None:
        assert record.case.id not in self.records, "nothing is written twice"
        self.records[record.case.id] = record

    async def known(self, ids: Collection[str]) -> set[str]:
        return set(ids) & set(self.records)


@dataclass
class Office:
    """Takes ledgers in: the same engine and archive for each, so that a second run meets what the first one left."""

    folder: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    archive: FakeArchive = field(default_factory=FakeArchive)
    real: tuple[Engine, Archive] | None = None
    directory: Directory | None = None

    def use(self, engine: Engine, archive: Archive) -> None:
        """Instead of those in memory."""
        self.real = engine, archive

    @property
    def refused(self) -> Path:
        return self.folder / "ledger.csv.refused.csv"

    async def take_in(self, ledger: str | bytes, plan: str = MAP) -> Tally:
        path = self.folder / "ledger.csv"
        path.write_bytes(ledger if isinstance(ledger, bytes) else ledger.encode())
        return await self.take_in_file(path, parse_map(plan))

    async def take_in_file(self, path: Path, plan: Map, now: datetime = NOW) -> Tally:
        if self.directory is None:
            assert plan.city is not None
            with LedgerFile(path, plan.file, plan.columns) as ledger:
                self.directory = enlarged(founded(plan.city), plan, ledger.rows())
        rules = default_rules(snapshot(default_calendar(), now))
        city = City(self.directory, Places(self.directory), rules)
        with LedgerFile(path, plan.file, plan.columns) as ledger, RefusedFile(self.refused, ledger.header) as refused:
            engine, archive = self.real or (self.engine, self.archive)
            run = Run(plan, city, engine=engine, archive=archive, refused=refused, now=lambda: now)
            return await run.take(ledger.rows())

    def refused_rows(self) -> Sequence[str]:
        return self.refused.read_text(encoding="utf-8-sig").splitlines()
