"""A city whose clock stands where a test puts it, its reports, and its channels."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.policy import Audience
from notices.channels import Wanted, channel
from notices.deliverer import Deliverer, Patience
from store import channels, notices
from store.recorder import Recorder
from tests.notices.receiver import Receiver
from tests.support.records import NOON, Life

AREA = "/qinghe/yunlan/qingshi"
OPENING = NOON - timedelta(hours=2)


@dataclass
class Office:
    engine: AsyncEngine
    recorder: Recorder
    now: datetime
    lives: list[Life] = field(default_factory=list)

    def deliverer(self, **options: Any) -> Deliverer:  # noqa: ANN401 - any of its options
        patience = Patience(answer=timedelta(seconds=5))
        return Deliverer(
            self.engine, **{"now": lambda: self.now, "chance": lambda: 0.5, "patience": patience, **options}
        )

    async def channel(self, name: str, receiver: Receiver, audience: str = "unit", **scope: Any) -> None:  # noqa: ANN401 - a channel's
        url = scope.pop("url", None) or receiver.url()
        wanted = Wanted(url=url, audience=Audience(audience), **scope)
        await channels.put(self.engine, channel(name, wanted, wanted.area), self.now)

    async def dispatch(self, count: int = 1, **report: Any) -> list[Life]:  # noqa: ANN401 - a report's
        """So many cases are reported now, and dispatched to `roads`."""
        first = len(self.lives) + 1
        facts = {"opened_at": self.now, "discovered_at": self.now, "area": AREA, **report}
        found = [Life(number, **facts) for number in range(first, first + count)]
        await asyncio.gather(*(self.recorder.record(life.record()) for life in found))
        self.lives += found
        return found

    async def deliver(self, deliverer: Deliverer | None = None) -> None:
        """One look, and everything that came of it."""
        one = deliverer or self.deliverer()
        await one.look()
        await one.settle()

    async def statuses(self) -> list[str]:
        """Of every delivery, by case."""
        told = [each for life in self.lives for each in await notices.of_case(self.engine, life.case.id, self.now)]
        return [sending.status for each in told for sending in each.sendings]

    async def listed(self, name: str) -> channels.Listed:
        return next(each for each in await channels.listing(self.engine, self.now) if each.id == name)
