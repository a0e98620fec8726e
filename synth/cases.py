"""All the cases of a period, day by day: when they come, which life each has, what is written in it.

Those opened in the last days, and some that nobody ever put right, are lived up to the end of the period: they are
what is open. The rest are casts of some thousand lives that have run their whole course.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, count, pairwise
from random import Random
from zoneinfo import ZoneInfo

from domain import case_id
from domain.case import OPEN
from store.rows import Row, rows
from synth import shares
from synth.lives import live
from synth.mould import TABLES, Cells, Column, Mould, Own
from synth.texts import Texts
from synth.town import Town, Weighted

WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
#: Every synthetic history ends here: the same seed gives the same cases on any day. A Tuesday, at closing time, and the
#: next year's holidays are not out yet.
END = datetime(2025, 12, 30, 10, tzinfo=UTC)
#: A Monday without a holiday near: in its week begin the lives that are cast.
_MONDAY = date(2025, 3, 10)
_SHORTEST, _TAIL, _STUCK = 60, 12, 120  # days
_FEWEST_MOULDS, _MOST_MOULDS = 160, 2500
_ALIKE = 4  # casts of each life that is lived up to the end
_RESIDENTS = 60_000
_ONE_OF_THEM = 2_000  # is the user `resident`

#: How long after it was put right the same counts as come back.
_COMES_BACK = timedelta(days=30)

Moved = tuple[Mould, timedelta]


@dataclass(slots=True)
class Batch:
    """Rows to be written together. `texts`: id and words of each case, for the index."""

    tables: dict[str, list[Cells]]
    texts: list[tuple[str, str]]
    rulebooks: list[Row]


@dataclass(slots=True)
class Tally:
    """`open`: somebody still has to do something; `late`: and the deadline has passed; `lives`: really lived."""

    cases: int = 0
    events: int = 0
    open: int = 0
    late: int = 0
    lives: int = 0


@dataclass(frozen=True, slots=True)
class _Day:
    """Of `cases`, `own` are lived up to the end of the period, and if they are `stuck`, nobody puts them right."""

    date: date
    cases: int
    own: int
    stuck: bool


class History:
    """Batches come in the order of time, and so do the events in them."""

    def __init__(self, town: Town, cases: int, seed: int, column: Column) -> None:
        self.tally = Tally()
        self.columns: dict[str, tuple[str, ...]] = {}
        self._town, self._column = town, column
        self._random = Random(f"history {seed}")  # noqa: S311 - nothing secret hangs on it
        self._texts = Texts(seed)
        self._zone = ZoneInfo(town.directory.zone)
        self._days = _days(cases)
        self._hours = Weighted(dict(enumerate(shares.HOURS)))
        self._rulebooks: dict[str, Row] = {}
        self._later: list[tuple[datetime, int, Cells]] = []
        self._order = count()
        self._put_right: defaultdict[tuple[str, str], deque[tuple[datetime, str]]] = defaultdict(deque)
        self._moulds = self._many_moulds(min(max(cases // 16, _FEWEST_MOULDS), _MOST_MOULDS, cases))

    def batches(self, at_least: int) -> Iterator[Batch]:
        """Of so many cases, whole days."""
        batch = _empty()
        for day in self._days:
            for mould, shift in sorted(self._of(day), key=lambda each: each[0].opened_at + each[1]):
                self._cast(batch, mould, shift)
            if len(batch.texts) >= at_least:
                yield self._sealed(batch, self._midnight(day.date) + DAY)
                batch = _empty()
        yield self._sealed(batch, END + DAY)

    def _of(self, day: _Day) -> Iterator[Moved]:
        for nth in range(day.own):
            if nth % _ALIKE == 0:
                mould = self._lived(day.date, until=END, stuck=day.stuck)
            yield mould, -self._jitter()
        for _ in range(day.cases - day.own):
            yield self._next(day.date)

    def _next(self, day: date) -> Moved:
        """The next life that began on such a weekday, if it can be over before the period is."""
        moulds = self._moulds[day.weekday()]
        weeks = (day - _MONDAY) // WEEK * WEEK
        for _ in range(len(moulds)):
            moulds.rotate(-1)
            if moulds[0].updated_at + weeks < END - timedelta(minutes=1):
                break
        return moulds[0], weeks + self._jitter()

    def _jitter(self) -> timedelta:
        return timedelta(milliseconds=self._random.randrange(60_000))

    def _many_moulds(self, number: int) -> list[deque[Mould]]:
        of_the_week = sum(shares.WEEKDAYS)
        return [
            deque(
                self._lived(_MONDAY + weekday * DAY, until=None) for _ in range(max(1, number * share // of_the_week))
            )
            for weekday, share in enumerate(shares.WEEKDAYS)
        ]

    def _lived(self, day: date, until: datetime | None, *, stuck: bool = False) -> Mould:
        opened = self._instant(day)
        if until is not None:
            opened = min(opened, until - timedelta(seconds=self._random.randrange(60, 7200)))
        lived = live(self._town.opening(self._random, opened), self._random, until, stuck=stuck)
        made = rows(lived.record())
        self._rulebooks.update((each["digest"], each) for each in made.rulebooks)
        self.tally.lives += 1
        mould = Mould(made, self._column)
        self.columns |= mould.columns
        return mould

    def _instant(self, day: date) -> datetime:
        seconds = self._hours.draw(self._random) * 3600 + self._random.random() * 3600
        return self._midnight(day) + timedelta(microseconds=int(seconds * 1_000_000))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def _cast(self, batch: Batch, mould: Mould, shift: timedelta) -> None:
        own = self._own(mould, shift)
        cast = mould.cast(own)
        if mould.put_right is not None:
            self._put_right[mould.category, mould.area].append((mould.put_right + shift, own.id))
        for table in TABLES:
            if table != "events":
                batch.tables[table] += cast[table]
        happened = (at + shift for at in mould.happened)
        self._later += zip(happened, self._order, cast["events"], strict=False)  # the order has no end
        batch.texts.append((own.id, cast["cases"][0][self.columns["cases"].index("words")]))
        self.tally.cases += 1
        self.tally.open += mould.stage in OPEN
        self.tally.late += mould.stage in OPEN and mould.late

    def _own(self, mould: Mould, shift: timedelta) -> Own:
        random = self._random
        opened = (mould.opened_at + shift).astimezone(self._zone)
        resident, neighbour = self._neighbours()
        return Own(
            id=case_id.make(random.getrandbits(case_id.BITS)),
            description=self._texts.description(random, self._town.name(mould.category)),
            address=self._texts.address(random, self._town.street(mould.area)),
            reference=f"12345-{opened:%Y%m%d}-{random.randrange(10**6):06}",
            resident=resident,
            neighbour=neighbour,
            former=self._former(mould, opened),
            shift=shift,
        )

    def _neighbours(self) -> tuple[str, str]:
        one = other = self._resident()
        while other == one:
            other = self._resident()
        return one, other

    def _resident(self) -> str:
        number = self._random.randrange(_RESIDENTS)
        return f"resident-{number}" if number % _ONE_OF_THEM else "resident"

    def _former(self, mould: Mould, opened: datetime) -> str | None:
        """Of some: what had been put right in the same grid."""
        before = self._put_right[mould.category, mould.area]
        while len(before) > 1 and before[1][0] < opened:
            before.popleft()
        there = before and opened - _COMES_BACK < before[0][0] < opened
        return before[0][1] if there and self._random.random() * 1000 < shares.RECURRED else None

    def _sealed(self, batch: Batch, until: datetime) -> Batch:
        """With all that had happened by then, in this batch's cases and in earlier ones."""
        self._later.sort(key=lambda each: each[:2])
        ready = bisect_left(self._later, until, key=lambda each: each[0])
        batch.tables["events"] = [cells for _, _, cells in self._later[:ready]]
        del self._later[:ready]
        self.tally.events += ready
        batch.rulebooks, self._rulebooks = list(self._rulebooks.values()), {}
        return batch


def _empty() -> Batch:
    return Batch({table: [] for table in TABLES}, [], [])


def _days(cases: int) -> list[_Day]:
    """Every case has its day; the last one ends with the period."""
    number = max(_SHORTEST, round(cases / shares.A_DAY))
    dates = [END.date() - DAY * back for back in reversed(range(number))]
    weights = [shares.WEEKDAYS[day.weekday()] * shares.MONTHS[day.month - 1] for day in dates]
    return [
        _day(day, number - nth, _share(cases, *sums, sum(weights)))
        for nth, (day, sums) in enumerate(zip(dates, pairwise(accumulate(weights, initial=0)), strict=True))
    ]


def _day(day: date, days_left: int, cases: int) -> _Day:
    if days_left <= _TAIL:
        return _Day(day, cases, own=cases, stuck=False)
    stuck = _share(shares.STUCK, days_left * cases, (days_left + 1) * cases, 1000) if days_left <= _STUCK else 0
    return _Day(day, cases, own=min(stuck, cases), stuck=True)


def _share(whole: int, since: int, until: int, of: int) -> int:
    """Of so many, those that fall between two points: over all spans together none is lost to rounding."""
    return whole * until // of - whole * since // of
