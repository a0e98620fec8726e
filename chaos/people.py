"""The people of the city and what they do all day. They follow the `actions` of a case and know no rule.

Their choices come from the seed; the machine's timing decides what they find.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from chaos import city
from chaos.desk import Desk
from chaos.judge.evidence import Json
from chaos.judge.words import REASON, TEXT, WITHOUT_TEXT, marked

#: How gladly each role does what it may.
WISHES: Mapping[str, Mapping[str, int]] = {
    "unit": {
        "accept": 8,
        "submit": 8,
        "submit-plan": 8,
        "return": 1,
        "request-extension": 2,
        "appeal": 3,
        "comment": 1,
    },
    "officer": {"inspect": 9, "verify": 4, "join": 1, "comment": 1},
    "dispatcher": {
        "assign": 9,
        "verify": 6,
        "dismiss": 1,
        "decide-plan": 6,
        "decide-extension": 6,
        "suspend": 1,
        "resume": 3,
        "withdraw": 1,
        "urge": 2,
        "decide-appeal": 3,
        "reopen": 1,
    },
    "supervisor": {
        "urge": 5,
        "supervise": 3,
        "decide-plan": 3,
        "decide-extension": 4,
        "resume": 2,
        "force-close": 1,
        "decide-appeal": 4,
        "reopen": 1,
        "comment": 2,
    },
    "resident": {"rate": 8, "comment": 1, "withdraw": 1},
}
#: Who may put two cases together, and how often he does instead of anything else.
_MERGERS, _MERGES = frozenset({"dispatcher", "supervisor"}), 0.03
#: How often a resident, instead of opening a case, says of one that is there that he has found the same.
_JOINS = 0.4
_LONGEST_PAUSE = 0.5
_REMEMBERED = 60


@dataclass(frozen=True, slots=True)
class Known:
    """A case, and where it lies: (longitude, latitude)."""

    case: str
    place: tuple[float, float]


@dataclass
class Town:
    """What everybody has heard of: the latest cases."""

    cases: deque[Known] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


@dataclass
class Person:
    role: str
    desk: Desk
    town: Town
    dice: Random
    photo: str = ""
    opens: float = 0.0  # how often it opens a case when it could do something else

    async def work(self) -> None:
        self.photo = await self.desk.photo()
        while not self.desk.closing.is_set():
            if self.dice.random() < self.opens:
                await (self.join() if self._has_found_the_same() else self.report())
            elif self.role in _MERGERS and self.dice.random() < _MERGES:
                await self.merge()
            else:
                await self.act()
            await asyncio.sleep(self.dice.uniform(0.02, _LONGEST_PAUSE))

    async def report(self) -> None:
        key = self.desk.key()
        place = self.dice.choice(city.PLACES)
        body = {
            "category": self.dice.choice(list(city.LIMITS)),
            "description": marked("巷口有问题", key),
            "location": _location(place),
            "confirm_new": True,
        }
        opened = await self.desk.give(key, "open", None, body)
        if opened is not None:
            self.town.cases.append(Known(opened["id"], place))

    def _has_found_the_same(self) -> bool:
        return self.role == "resident" and bool(self.town.cases) and self.dice.random() < _JOINS

    async def join(self) -> None:
        """A case that he does not see: he says where he has found it."""
        known, key = self.dice.choice(self.town.cases), self.desk.key()
        body = {"description": marked("我也看到了", key), "location": _location(known.place)}
        await self.desk.give(key, "join", known.case, body)

    async def merge(self) -> None:
        """Two that are one, as somebody thinks who has not looked closely."""
        if len(self.town.cases) > 1:
            stays, goes = self.dice.sample(self.town.cases, 2)
            await self.desk.give(self.desk.key(), "merge", goes.case, {"into": stays.case})

    async def act(self) -> None:
        case = await self._found()
        if case is None:
            return
        wishes = {name: weight for name, weight in WISHES[self.role].items() if name in case["actions"]}
        if wishes:
            [command] = self.dice.choices(list(wishes), list(wishes.values()))
            key = self.desk.key()
            await self.desk.give(key, command, case["id"], self._body(command, key))

    async def _found(self) -> Json | None:
        """Something from the list of tasks; or, as one does who has it on the telephone, a case by its number."""
        if self.dice.random() < 0.6:  # noqa: PLR2004 - a share
            tasks = await self.desk.look("/tasks", limit=20)
            if tasks is not None and tasks["items"]:
                chosen: Json = self.dice.choice(tasks["items"])
                return chosen
        return await self.desk.look(f"/cases/{self.dice.choice(self.town.cases).case}") if self.town.cases else None

    def _body(self, command: str, key: str) -> dict[str, Any]:
        text = {} if command in WITHOUT_TEXT else {TEXT.get(command, REASON): marked("照办", key)}
        return text | self._extras(command)

    def _extras(self, command: str) -> dict[str, Any]:
        """What a command's body must have beside its text."""
        dice = self.dice
        until = datetime.now(UTC) + timedelta(seconds=dice.choice((12, 86_400)))
        extras: dict[str, dict[str, Any]] = {
            "assign": self._units(),
            "submit": {"evidence": [self.photo], "ahead_because": dice.choice((None, None, "等不及了"))},
            "decide-plan": {"grant": dice.choice((True, True, False))},
            "inspect": {"result": dice.choice(("pass", "pass", "pass", "fail", "unable"))},
            "decide-extension": {"grant": dice.choice((True, True, False))},
            "decide-appeal": {"grant": dice.choice((True, True, False))},
            "suspend": {"until": until.isoformat()},
            "rate": {"score": dice.randint(1, 5)},
        }
        return extras.get(command, {})

    def _units(self) -> dict[str, Any]:
        """One that leads, and sometimes one or two that help."""
        units = [unit.removeprefix("unit-") for unit in self.dice.sample(city.UNITS, 3)]
        return {"unit": units[0], "co_units": units[1 : self.dice.choice((1, 1, 2, 3))]}


def _location(place: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("lon", "lat"), place, strict=True))


#: Who is at work, and how often each would rather open a case: (user, role, hands, share).
STAFF = (
    *((user, "officer", 2, 0.5) for user in city.OFFICERS),
    *((user, "unit", 2, 0.0) for user in city.UNITS[:2]),
    *((user, "unit", 1, 0.0) for user in city.UNITS[2:]),
    ("dispatcher", "dispatcher", 2, 0.0),
    ("supervisor", "supervisor", 2, 0.1),
    ("resident", "resident", 1, 0.5),
)
