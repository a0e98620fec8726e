"""Where the synthetic cases happen: a city from its directory, and what is reported there, by the shares."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from directory.calendars import snapshot as cut
from directory.model import Area, AreaLevel, Category, Directory
from directory.places import Places
from directory.reporting import City, Position, Receiving, Report, resolve
from directory.shapes import read
from domain.actors import Actor, Role
from domain.calendar import Calendar
from domain.commands import Opening, SelfHandling
from domain.policy import Ladder, Policy, Rules, Source
from synth import shares
from synth.lives import ADDRESS, DESCRIPTION, FORMER, ID, REFERENCE, REPORTER, officer, photo

T = TypeVar("T")
_GOLDEN, _SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1


class Weighted(Generic[T]):
    """Draws values as often as their weights say."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._values = tuple(weights)
        self._sums = list(accumulate(weights.values()))

    def draw(self, random: Random) -> T:
        return self.at(random.random())

    def at(self, point: float) -> T:
        """`point` from 0 up to 1."""
        return self._values[bisect(self._sums, point * self._sums[-1])]


class Even:
    """Points that fill the span from 0 to 1 evenly, however few they are: the multiples of an irrational number."""

    def __init__(self, step: float, random: Random) -> None:
        self._step, self._point = step, random.random()

    def __next__(self) -> float:
        self._point = (self._point + self._step) % 1
        return self._point


class Town:
    """A directory of any city; where it lacks a category that `shares` names, its others come instead."""

    def __init__(self, directory: Directory, calendar: Calendar, policy: Policy, ladder: Ladder, seed: int) -> None:
        self.directory = directory
        self.places = Places(directory)
        self._calendar, self._policy, self._ladder = calendar, policy, ladder
        self._cities: dict[str, City] = {}
        self._calendars: dict[Calendar, Calendar] = {}
        self._categories = Weighted(_categories(directory.categories))
        random = Random(seed)  # noqa: S311 - nothing secret hangs on it
        self._grids = Weighted({area: random.lognormvariate(0, 0.7) for area in _smallest(directory)})
        self._nth_category, self._nth_source = Even(_GOLDEN, random), Even(_SILVER, random)
        self._sources, self._severities = Weighted(shares.SOURCES), Weighted(shares.SEVERITIES)

    def opening(self, random: Random, at: datetime) -> Opening:
        """What is reported at that instant: resolved as the API would, with marks for what is each case's own."""
        grid, category = self._grids.draw(random), self._categories.at(next(self._nth_category))
        source = self._sources.at(next(self._nth_source))
        actor = self._reporter(random, source, self.directory.path(grid.id))
        found = at - timedelta(seconds=random.randrange(30, 1200))
        before = tuple(photo(number) for number in range(random.choice((0, 1, 1, 2, 2, 3))))
        report = Report(
            category=category.code,
            condition=random.choice(category.conditions).id if random.random() * 1000 < shares.WITH_CONDITION else None,
            description=DESCRIPTION,
            location=self._position(random, grid),
            address=ADDRESS,
            grid=grid.id if grid.level is AreaLevel.GRID else None,
            source=source,
            severity=self._severities.draw(random),
            evidence=before,
            external_ref=REFERENCE if source is Source.HOTLINE else None,
            discovered_at=found,
            self_handled=self._on_the_spot(random, actor, len(before)),
        )
        opening = resolve(self._city(at), report, Receiving(actor=actor, at=at, case_id=ID, command_id=f"{ID}.0"))
        return opening.model_copy(update={"recurrence_of": FORMER})

    def name(self, category: str) -> str:
        return self.directory.category_by_code[category].name_zh

    def street(self, area: str) -> str:
        """The name of the street that the path leads through; the city's own where it leads through none."""
        path = area.strip("/").split("/")
        return self.directory.area_by_id[path[min(2, len(path) - 1)]].name_zh

    def _city(self, at: datetime) -> City:
        month = f"{at:%Y-%m}"
        if month not in self._cities:
            rules = Rules(policy=self._policy, ladder=self._ladder, calendar=self._calendar_then(at))
            self._cities[month] = City(self.directory, self.places, rules)
        return self._cities[month]

    def _calendar_then(self, at: datetime) -> Calendar:
        """The next year's holidays are not out yet. Equal ones are one: to compare them takes its time."""
        through = min(self._calendar.official_through, date(at.year, 12, 31))
        then = cut(self._calendar.model_copy(update={"official_through": through}), at)
        return self._calendars.setdefault(then, then)

    def _reporter(self, random: Random, source: Source, area: str) -> Actor:
        root = "/" + area.split("/")[1]
        if source is Source.OFFICER:
            return officer(area, random.randrange(1, 7))
        if source is Source.RESIDENT:
            return Actor(user=REPORTER, role=Role.RESIDENT)
        role = Role.SUPERVISOR if source is Source.SUPERVISION else Role.DISPATCHER
        return Actor(user=role.value, role=role, area=root)

    def _on_the_spot(self, random: Random, actor: Actor, photos: int) -> SelfHandling | None:
        if actor.role is not Role.OFFICER or random.random() * 1000 >= shares.SELF_HANDLED:
            return None
        return SelfHandling(note="现场清理", evidence=(photo(photos), photo(photos + 1)))

    def _position(self, random: Random, grid: Area) -> Position | None:
        """Somewhere in the grid. None where its shape is not known, or so odd that its frame does not do."""
        if grid.shape is None:
            return None
        west, south, east, north = read(grid.shape).bounds
        lon, lat = _between(random, west, east), _between(random, south, north)
        return Position(lon=lon, lat=lat) if self.places.contains(grid.id, lon, lat) else None


def _between(random: Random, low: float, high: float) -> float:
    return round(low + (high - low) * random.uniform(0.02, 0.98), 6)


def _categories(all_of_them: Sequence[Category]) -> dict[Category, float]:
    known = {
        category: shares.CATEGORIES[category.code] for category in all_of_them if category.code in shares.CATEGORIES
    }
    others = [category for category in all_of_them if category not in known]
    for kind, share in (("component", shares.OTHER_COMPONENTS), ("event", shares.OTHER_EVENTS)):
        ranked = [each for each in others if (each.kind == "component") is (kind == "component")]
        whole = sum(1 / rank for rank in range(1, len(ranked) + 1))
        known.update({each: share / rank / whole for rank, each in enumerate(ranked, start=1)})
    return known


def _smallest(directory: Directory) -> list[Area]:
    """The grids; in a city that has none, whatever areas have nothing below them."""
    parents = {area.parent for area in directory.areas}
    return [area for area in directory.areas if area.id not in parents]
