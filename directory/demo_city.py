"""Qinghe, a city that does not exist: for demonstrations, training and tests.

Names, people and borders are invented; the rectangle lies where there is no such city. Everything is computed
from the tables below, so two runs give the same directory. Block grids tile the city exactly: the corners are whole
micro-degrees, shared by the neighbours; a street grid lies across some of them. Class E06 "other events" has no
routing row on purpose, so that a dispatcher has something to decide, except in Wangxi, which names a fallback.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from directory.catalogue import load_catalogue
from directory.model import Area, AreaLevel, Directory, GridKind, RoutingRow, Unit, User
from directory.shapes import polygon, read
from domain.actors import Role

CITY = "qinghe"
HOME_DISTRICT = "yunlan"  # of all three officers, so that one may inspect what another has opened


class Box(NamedTuple):
    """Micro-degrees."""

    west: int
    south: int
    east: int
    north: int

    def slice_x(self, start: int, stop: int, of: int) -> "Box":
        width = (self.east - self.west) // of
        return self._replace(west=self.west + start * width, east=self.west + stop * width)

    def slice_y(self, start: int, stop: int, of: int) -> "Box":
        height = (self.north - self.south) // of
        return self._replace(south=self.south + start * height, north=self.south + stop * height)

    @property
    def ring(self) -> tuple[tuple[float, float], ...]:
        west, south, east, north = (each / 1_000_000 for each in self)
        return (west, south), (east, south), (east, north), (west, north), (west, south)


CITY_BOX = Box(110_000_000, 38_200_000, 110_096_000, 38_272_000)  # about 8.4 km by 8 km

DISTRICTS = {
    "yunlan": ("云澜区", "Yunlan District", ("qingshi", "liuan", "zhonggu")),
    "songquan": ("松泉区", "Songquan District", ("guiyuan", "minghu", "changting")),
    "wangxi": ("望溪区", "Wangxi District", ("zhuyuan", "fenghe")),
}
STREETS = {
    "qingshi": ("青石街道", "Qingshi Subdistrict", ("槐荫 Huaiyin", "石桥 Shiqiao", "书院 Shuyuan")),
    "liuan": ("柳岸街道", "Liu'an Subdistrict", ("柳堤 Liudi", "渡口 Dukou", "荷塘 Hetang")),
    "zhonggu": ("钟鼓街道", "Zhonggu Subdistrict", ("钟楼 Zhonglou", "鼓巷 Guxiang", "老市场 Laoshichang")),
    "guiyuan": ("桂苑街道", "Guiyuan Subdistrict", ("桂香 Guixiang", "银杏 Yinxing", "北苑 Beiyuan")),
    "minghu": ("明湖街道", "Minghu Subdistrict", ("湖滨 Hubin", "映月 Yingyue", "听涛 Tingtao")),
    "changting": ("长亭街道", "Changting Subdistrict", ("驿站 Yizhan", "车站 Chezhan", "新亭 Xinting")),
    "zhuyuan": ("竹园街道", "Zhuyuan Subdistrict", ("竹溪苑 Zhuxiyuan", "梅坞 Meiwu", "兰畹 Lanwan")),
    "fenghe": ("丰禾镇", "Fenghe Town", ("丰登 Fengdeng", "禾田 Hetian", "麦场 Maichang")),
}
LARGE_COMMUNITIES = {"qingshi-1", "zhonggu-3", "minghu-1", "zhuyuan-1"}  # five grids instead of four
NUMERALS = "一二三四五"
#: The unit that answers in a district for what nobody owns.
FALLBACKS = {"wangxi": "city-mgmt-wangxi"}
AVENUE = "minghu-avenue"  # a line grid 条形网格, from one end of its street to the other, about 35 m wide

UNITS = {
    "city-mgmt-yunlan": ("云澜区城市管理局", "Yunlan Urban Management Bureau", "yunlan"),
    "city-mgmt-songquan": ("松泉区城市管理局", "Songquan Urban Management Bureau", "songquan"),
    "city-mgmt-wangxi": ("望溪区城市管理局", "Wangxi Urban Management Bureau", "wangxi"),
    "sanitation": ("清和市环境卫生服务中心", "Qinghe Sanitation Centre", CITY),
    "parks": ("清和市园林绿化中心", "Qinghe Parks and Greening Centre", CITY),
    "roads": ("清和市市政设施维护中心", "Qinghe Municipal Works Centre", CITY),
    "drainage": ("清和市排水与河道管理处", "Qinghe Drainage and Rivers Office", CITY),
    "water": ("清和供水公司", "Qinghe Water Supply Company", CITY),
    "power": ("清和供电公司", "Qinghe Power Company", CITY),
    "gas": ("清和燃气公司", "Qinghe Gas Company", CITY),
    "heating": ("清和热力公司", "Qinghe Heating Company", CITY),
    "telecom": ("清和通信管线公司", "Qinghe Telecom Lines Company", CITY),
    "market-supervision": ("清和市市场监督管理局", "Qinghe Market Supervision Bureau", CITY),
    "housing": ("清和市住房和城乡建设局", "Qinghe Housing and Construction Bureau", CITY),
    "traffic-police": ("清和市交通警察支队", "Qinghe Traffic Police", CITY),
}

BY_DISTRICT = ("E01", "E02", "E04", "W-")  # the urban management bureau of the district
BY_CLASS = {
    "E03": "housing",
    "E05": "roads",
    "C01": "roads",
    "C02": "roads",
    "C03": "sanitation",
    "C04": "parks",
    "C05": "drainage",
    "W-MKT": "market-supervision",
    "W-ALY": "roads",
    "W-COM": "housing",
}
BY_CATEGORY = {
    "sanitation": ("E0110", "E0112", "E0114", "E0135", "E0137", "E0192", "E0193", "E0507", "W-ALY-03"),
    "parks": ("E0117", "E0118", "E0121", "E0122", "E0191", "C0146"),
    "roads": ("E0103", "E0113", "E0302", "E0303"),
    "drainage": ("E0125", "E0126", "E0503", "E0506", "C0102", "C0103", "C0104"),
    "water": ("E0501", "C0101"),
    "gas": ("E0502",),
    "heating": ("E0504",),
    "power": ("E0508", "C0128", "C0154"),
    "telecom": ("E0108", "E0180", "C0131"),
    "market-supervision": ("E0408", "E0498"),
    "housing": ("E0596",),
    "traffic-police": ("E0409", "C0217"),
}
CO_UNITS = {
    "E0501": ("roads",),
    "E0502": ("roads", "traffic-police"),
    "E0108": ("power",),
    "E0508": ("telecom",),
}
IN_MARKETS = (
    "E0110",
    "E0112",
    "E0192",
)  # inside a market its supervisors answer, with sanitation beside them
#: Components are theirs wherever they stand, if the report says whose they are.
OWNERS = ("water", "power", "gas", "heating", "telecom")

OFFICER_HOMES = {"officer-1": "qingshi-1-2", "officer-2": "liuan-2-3", "officer-3": "zhonggu-3-1"}
PEOPLE = (
    ("officer-1", Role.OFFICER, HOME_DISTRICT, "林晓 Lin Xiao"),
    ("officer-2", Role.OFFICER, HOME_DISTRICT, "周航 Zhou Hang"),
    ("officer-3", Role.OFFICER, HOME_DISTRICT, "许静 Xu Jing"),
    ("dispatcher", Role.DISPATCHER, CITY, "沈博 Shen Bo"),
    ("supervisor", Role.SUPERVISOR, CITY, "高岚 Gao Lan"),
    ("resident", Role.RESIDENT, None, "何平 He Ping"),
    ("admin", Role.ADMIN, CITY, "罗颖 Luo Ying"),
)


@cache
def demo_directory() -> Directory:
    return Directory(
        city_zh="清和市",
        city_en="Qinghe",
        zone="Asia/Shanghai",
        areas=tuple(_areas()),
        units=tuple(Unit(id=key, name_zh=zh, name_en=en, area=area) for key, (zh, en, area) in UNITS.items()),
        users=_users(),
        categories=load_catalogue(),
        routing=tuple(_routing()),
    )


def officer_home(user_id: str) -> tuple[str, float, float]:
    """The officer's home grid and the WGS-84 position (lon, lat) of its middle. KeyError if no officer."""
    grid = OFFICER_HOMES[user_id]
    west, south, east, north = read(demo_directory().area_by_id[grid].shape or b"").bounds
    return grid, (west + east) / 2, (south + north) / 2


def _areas() -> Iterator[Area]:
    yield _area(CITY, None, AreaLevel.CITY, ("清和市", "Qinghe"), CITY_BOX)
    start, streets_in_all = 0, len(STREETS)
    for district, (zh, en, streets) in DISTRICTS.items():
        box = CITY_BOX.slice_x(start, start + len(streets), streets_in_all)
        start += len(streets)
        yield _area(district, CITY, AreaLevel.DISTRICT, (zh, en), box)
        for nth, street in enumerate(streets):
            yield from _street(street, district, box.slice_y(nth, nth + 1, len(streets)))
    yield _avenue()


def _street(street: str, district: str, box: Box) -> Iterator[Area]:
    zh, en, communities = STREETS[street]
    yield _area(street, district, AreaLevel.STREET, (zh, en), box)
    for nth, names in enumerate(communities):
        yield from _community(f"{street}-{nth + 1}", street, names, box.slice_x(nth, nth + 1, len(communities)))


def _community(community: str, street: str, names: str, box: Box) -> Iterator[Area]:
    zh, en = names.split()
    yield _area(community, street, AreaLevel.COMMUNITY, (f"{zh}社区", f"{en} Community"), box)
    grids = 5 if community in LARGE_COMMUNITIES else 4
    for nth in range(grids):
        grid_names = (f"{zh}社区第{NUMERALS[nth]}网格", f"{en} Grid {nth + 1}")
        grid_box = box.slice_y(nth, nth + 1, grids)
        yield _area(f"{community}-{nth + 1}", community, AreaLevel.GRID, grid_names, grid_box)


def _avenue() -> Area:
    """Along the middle of Minghu Subdistrict, which is the second of the three in Songquan."""
    street = CITY_BOX.slice_x(3, 6, len(STREETS)).slice_y(1, 2, 3)
    middle = (street.south + street.north) // 2
    strip = street._replace(south=middle - 150, north=middle + 150)
    line = _area(AVENUE, "minghu", AreaLevel.GRID, ("明湖大街", "Minghu Avenue"), strip)
    return line.model_copy(update={"kind": GridKind.LINE})


def _area(area_id: str, parent: str | None, level: AreaLevel, names: tuple[str, str], box: Box) -> Area:
    zh, en = names
    kind = GridKind.BLOCK if level is AreaLevel.GRID else None
    fallback, shape = FALLBACKS.get(area_id), polygon(box.ring)
    return Area(
        id=area_id,
        parent=parent,
        level=level,
        name_zh=zh,
        name_en=en,
        kind=kind,
        fallback=fallback,
        shape=shape,
    )


def _users() -> tuple[User, ...]:
    units = (
        User(id=f"unit-{key}", role=Role.UNIT, unit=key, area=area, name=f"{zh} {en}")
        for key, (zh, en, area) in UNITS.items()
    )
    people = (User(id=key, role=role, area=area, name=name) for key, role, area, name in PEOPLE)
    return *people, *units


def _routing() -> Iterator[RoutingRow]:
    for prefix in BY_DISTRICT:
        for district in DISTRICTS:
            row_id = f"{prefix.strip('-')}-{district}".lower()
            yield RoutingRow(id=row_id, big_category=prefix, area=district, unit=f"city-mgmt-{district}")
    for prefix, unit in BY_CLASS.items():
        yield RoutingRow(id=prefix.lower(), big_category=prefix, unit=unit)
    for unit, codes in BY_CATEGORY.items():
        for code in codes:
            yield RoutingRow(id=code.lower(), category=code, unit=unit, co_units=CO_UNITS.get(code, ()))
    for code in IN_MARKETS:
        yield _in_market(code)
    for owner in OWNERS:
        yield RoutingRow(id=f"owner-{owner}", big_category="C", owner=owner, unit=owner)
    yield RoutingRow(
        id=f"e04-{AVENUE}",
        big_category="E04",
        area=AVENUE,
        unit="city-mgmt-songquan",
        co_units=("traffic-police",),
        dispatcher="dispatcher",
    )


def _in_market(code: str) -> RoutingRow:
    return RoutingRow(
        id=f"{code}-market".lower(),
        category=code,
        place_type="market",
        unit="market-supervision",
        co_units=("sanitation",),
    )
