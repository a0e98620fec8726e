"""The sheets and their columns: the one table that reading, writing, templates and the documentation go by.

A header is the Chinese name and the field's, `编号 id`; either alone will do. `needed`: it may not be empty; what is
not and is empty gets the field's default. `refers`: the table whose ids it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange import values as v
from exchange.values import Kind


@dataclass(frozen=True)
class Column:
    field: str
    zh: str
    kind: Kind = v.TEXT
    needed: bool = False
    example: str = ""
    refers: str | None = None
    default: Any = None
    note: str = ""
    #: Understood and never written.
    only_in: bool = False

    @property
    def header(self) -> str:
        return f"{self.zh} {self.field}"


@dataclass(frozen=True)
class Table:
    """`key`: the column that identifies a record. None: the lines belong to the record that `of` names, in order."""

    name: str
    zh: str
    columns: tuple[Column, ...]
    key: str | None = "id"
    of: str | None = None

    @property
    def title(self) -> str:
        return f"{self.zh} {self.name}"

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """By every way a header may be written, in small letters."""
        ways = ((each, way) for each in self.columns for way in (each.field, each.zh, each.header))
        return {way.lower(): each for each, way in ways}

    @cached_property
    def by_field(self) -> Mapping[str, Column]:
        return {each.field: each for each in self.columns}


C = Column
_RETIRED = C("retired", "停用", v.FLAG, example="否", default=False)
_NAMES = (
    C("name_zh", "名称", needed=True, example="云澜区"),
    C("name_en", "英文名称", example="Yunlan District", note="空则用中文名称"),
)

CITY = Table(
    "city",
    "城市",
    (
        C("city_zh", "城市名称", needed=True, example="清和市"),
        C("city_en", "英文名称", example="Qinghe"),
        C("zone", "时区", needed=True, example="Asia/Shanghai"),
        C("scheme", "类别编码体系", v.ID, example="rectify", default="rectify"),
        C("version", "类别版本", v.WHOLE, example="1", default=1),
        C("valid_from", "类别生效时间", v.MOMENT, example="2026-01-01 00:00:00+08:00"),
    ),
    key=None,
)
AREAS = Table(
    "areas",
    "辖区",
    (
        C("id", "编号", v.ID, needed=True, example="yunlan"),
        C("parent", "上级", v.ID, refers="areas", example="qinghe", note="仅市级为空"),
        C("level", "层级", v.LEVEL, needed=True, example="区县"),
        *_NAMES,
        C("kind", "网格类型", v.GRID_KIND, note="仅网格填写"),
        C("fallback", "兜底单位", v.ID, refers="units", note="无人负责时由它负责"),
        _RETIRED,
    ),
)
SHAPES = Table(
    "shapes",
    "边界",
    (
        C("area", "辖区", v.ID, needed=True, refers="areas", example="yunlan"),
        C("part", "段", v.WHOLE, needed=True, example="1", note="图形过长时分行填写，从 1 起"),
        C(
            "shape",
            "图形",
            needed=True,
            example="POLYGON ((110 38, 110.1 38, 110.1 38.1, 110 38))",
            note="WKT，先经度后纬度",
        ),
        C("datum", "坐标系", v.DATUM, example="wgs84", only_in=True, note="空为 wgs84"),
    ),
    key=None,
    of="area",
)
UNITS = Table(
    "units",
    "单位",
    (
        C("id", "编号", v.ID, needed=True, example="sanitation"),
        *_NAMES,
        C("area", "辖区", v.ID, needed=True, refers="areas", example="qinghe"),
        C("parent", "上级单位", v.ID, refers="units"),
        C("calendar", "工作日历", v.NAME),
        _RETIRED,
    ),
)
CONTACTS = Table(
    "contacts",
    "联系人",
    (
        C("unit", "单位", v.ID, needed=True, refers="units", example="sanitation"),
        C("name", "姓名", needed=True, example="李明"),
        C("post", "职务", example="科长"),
        C("phone", "电话", example="0000-0000000"),
        C("email", "邮箱", example="li@example.org"),
    ),
    key=None,
    of="unit",
)
USERS = Table(
    "users",
    "人员",
    (
        C("id", "登录名", v.ID, needed=True, example="li-ming"),
        C("name", "姓名", needed=True, example="李明"),
        C("role", "角色", v.ROLE, needed=True, example="网格员"),
        C("unit", "单位", v.ID, refers="units"),
        C("area", "辖区", v.ID, refers="areas", example="yunlan"),
        _RETIRED,
    ),
)
POINTS = Table(
    "points",
    "点位",
    (
        C("id", "编号", v.ID, needed=True, example="market-001"),
        C("name_zh", "名称", needed=True, example="东门市场"),
        C("name_en", "英文名称", example="East Gate Market", default=""),
        C("place_type", "点位类型", needed=True, example="market"),
        C("area", "辖区", v.ID, refers="areas", example="liuan-1-1", default="", note="空则按坐标查找"),
        C("lon", "经度", v.DEGREES, needed=True, example="110.0123"),
        C("lat", "纬度", v.DEGREES, needed=True, example="38.2345"),
        C("keeper", "管理单位", v.ID, refers="units"),
        _RETIRED,
        C("datum", "坐标系", v.DATUM, example="wgs84", only_in=True, note="空为 wgs84；导出均为 wgs84"),
    ),
)
_SEVERITY = C("severity", "严重程度", v.SEVERITY)
CATEGORIES = Table(
    "categories",
    "类别",
    (
        C("code", "编码", v.NAME, needed=True, example="E0110"),
        C("kind", "种类", v.CATEGORY_KIND, needed=True, example="事件"),
        C("big_zh", "大类", needed=True, example="市容环境"),
        C("big_en", "英文大类", example="City appearance"),
        C("name_zh", "小类", needed=True, example="暴露垃圾"),
        C("name_en", "英文小类", example="Exposed rubbish"),
        C("place_types", "点位类型", v.LIST, example="alley;market", default=(), note="用分号分隔"),
        _SEVERITY,
        C("near_metres", "相邻米数", v.WHOLE),
        C("recurs_days", "复发天数", v.WHOLE),
    ),
    key="code",
)
CONDITIONS = Table(
    "conditions",
    "立案条件",
    (
        C("id", "编号", v.NAME, needed=True, example="E0110-1"),
        C("category", "类别", v.NAME, needed=True, refers="categories", example="E0110", note="同类第一行为默认条件"),
        C("text_zh", "条件", needed=True, example="巷口有散落垃圾"),
        C("text_en", "英文条件", example="Rubbish lies about"),
        C("limit", "时限", v.AMOUNT, needed=True, example="4"),
        C("unit", "时限单位", v.LIMIT_UNIT, needed=True, example="工作时"),
        C(
            "milestones",
            "分段时限",
            v.MILESTONES,
            default=(),
            note="如 围护/Fence off:3 urgent_hour;修复/Repair:8 urgent_hour",
        ),
        C("closure_zh", "结案标准", needed=True, example="垃圾清运干净"),
        C("closure_en", "英文结案标准", example="Cleared away"),
        C("photos", "照片数", v.WHOLE),
        _SEVERITY,
        C("needs_plan", "须报方案", v.FLAG, default=False),
        C("source", "来源", example="OWN", default="OWN"),
        C("trust", "可信度", example="OWN", default="OWN"),
    ),
)
ROUTING = Table(
    "routing",
    "责任",
    (
        C("id", "编号", v.NAME, needed=True, example="e0110-market"),
        C("category", "类别", v.NAME, refers="categories", example="E0110"),
        C("big_category", "编码前缀", v.NAME, example="E01"),
        C("condition", "立案条件", v.NAME, refers="conditions"),
        C("area", "辖区", v.ID, refers="areas"),
        C("place_type", "点位类型", example="market"),
        C("owner", "权属单位", v.ID, refers="units"),
        C("unit", "责任单位", v.ID, needed=True, refers="units", example="sanitation"),
        C("co_units", "协办单位", v.IDS, refers="units", default=(), note="用分号分隔"),
        C("dispatcher", "派遣员", v.ID, refers="users"),
        _RETIRED,
    ),
)

#: In the order in which they are written.
TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (CITY, AREAS, SHAPES, UNITS, CONTACTS, USERS, POINTS, CATEGORIES, CONDITIONS, ROUTING)
}
#: Of the same word in another spelling: a Chinese name that is empty in English is taken for both.
TRANSLATED: Mapping[str, str] = {
    "name_en": "name_zh",
    "big_en": "big_zh",
    "text_en": "text_zh",
    "closure_en": "closure_zh",
    "city_en": "city_zh",
}


def table_of(name: str) -> Table | None:
    """By a sheet's or a file's name: `辖区`, `areas`, `辖区 areas`, `areas.csv`, `2026-areas (1)`."""
    plain = name.lower()
    words = {each.strip("()（）") for each in plain.replace("_", " ").replace("-", " ").replace(".", " ").split()}
    exact = (table for table in TABLES.values() if {table.name, table.zh} & words)
    return next(exact, None) or next((table for table in TABLES.values() if table.zh == plain), None)
