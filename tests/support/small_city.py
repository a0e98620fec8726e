"""A city small enough to try every place in it."""

from directory.catalogue import load_catalogue
from directory.model import Area, AreaLevel, Directory, GridKind, RoutingRow, Unit, User
from domain.actors import Role

#: d1 is divided into a street with a block, a street grid and a compound; the line grid hangs under the street itself.
AREAS = (
    Area(id="city", parent=None, level=AreaLevel.CITY, name_zh="市", name_en="City"),
    Area(id="d1", parent="city", level=AreaLevel.DISTRICT, name_zh="一区", name_en="One"),
    Area(id="d2", parent="city", level=AreaLevel.DISTRICT, name_zh="二区", name_en="Two"),
    Area(id="s1", parent="d1", level=AreaLevel.STREET, name_zh="街道", name_en="Street"),
    Area(id="c1", parent="s1", level=AreaLevel.COMMUNITY, name_zh="社区", name_en="Community"),
    Area(id="g1", parent="c1", level=AreaLevel.GRID, kind=GridKind.BLOCK, name_zh="网格", name_en="Grid"),
    Area(id="line", parent="s1", level=AreaLevel.GRID, kind=GridKind.LINE, name_zh="大街", name_en="High Street"),
    Area(id="line-2", parent="s1", level=AreaLevel.GRID, kind=GridKind.LINE, name_zh="横街", name_en="Cross Street"),
    Area(id="old", parent="d2", level=AreaLevel.STREET, name_zh="旧街", name_en="Old Street", retired=True),
    Area(id="old-1", parent="old", level=AreaLevel.COMMUNITY, name_zh="旧社区", name_en="Old Community"),
    Area(id="yard", parent="d1", level=AreaLevel.GRID, kind=GridKind.COMPOUND, name_zh="大院", name_en="Yard"),
)
UNITS = ("one", "two", "power", "gone")


def directory(*rows: RoutingRow, **fallbacks: str) -> Directory:
    return Directory(
        city_zh="试验市",
        city_en="Testville",
        zone="Asia/Shanghai",
        areas=tuple(area.model_copy(update={"fallback": fallbacks.get(area.id)}) for area in AREAS),
        units=tuple(Unit(id=key, name_zh=key, name_en=key, area="city", retired=key == "gone") for key in UNITS),
        users=(
            User(id="shen", role=Role.DISPATCHER, name="沈"),
            User(id="left", role=Role.DISPATCHER, name="离", retired=True),
        ),
        categories=load_catalogue(),
        routing=rows,
    )
