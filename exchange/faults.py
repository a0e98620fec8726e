"""What is wrong with a file, told to somebody who has it open in Excel: where, what, and what to do about it.

A fault refuses the whole file. A warning refuses nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.words import Words
from exchange.cells import BadFile, letter

#: Nobody mends more at once. All are counted.
MOST_LISTED = 1_000
_SHOWN = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")

TEXTS: Mapping[str, Words] = {
    # The file.
    "unknown_kind": (
        "无法识别的文件。请用 .xlsx、.csv（可打包为 .zip）或 .geojson。",
        "This is no file that can be read. Use .xlsx, .csv (or a .zip of them) or .geojson.",
    ),
    "old_excel": (
        "这是旧版 Excel（.xls）或加密的文件。请在 Excel 中取消密码，另存为 .xlsx。",
        "An old .xls workbook, or one with a password. Take the password off and save it as .xlsx.",
    ),
    "macros": ("文件含宏（.xlsm）。请另存为 .xlsx。", "It holds macros (.xlsm). Save it as .xlsx."),
    "binary_workbook": ("这是 .xlsb 文件。请另存为 .xlsx。", "An .xlsb workbook. Save it as .xlsx."),
    "encrypted": ("文件有密码。请取消密码后再传。", "It has a password. Take it off."),
    "no_workbook": ("压缩包中没有工作簿或 CSV。", "The archive holds no workbook and no CSV."),
    "broken_archive": ("文件已损坏，请重新保存或重新上传。", "The file is damaged. Save it again, or send it again."),
    "broken_workbook": (
        "工作簿内容已损坏，请用 Excel 打开后另存。",
        "The workbook is damaged. Open it in Excel and save it.",
    ),
    "xml_declares_entities": (
        "文件含不允许的 XML 声明（DTD）。请用 Excel 另存为 .xlsx。",
        "Its XML declares a document type, which is not allowed. Save it as .xlsx in Excel.",
    ),
    "too_large": (
        "文件超过 {most} MB。请分成几份，或用 rectify directory import。",
        "More than {most} MB. Split it, or use `rectify directory import`.",
    ),
    "unpacks_too_large": (
        "解压后有 {megabytes} MB，上限 {most} MB。请分成几份。",
        "It unpacks to {megabytes} MB; {most} MB are allowed. Split it.",
    ),
    "zip_bomb": (
        "压缩率为 {ratio} 倍，不像真实的表格，已拒绝。",
        "It unpacks to {ratio} times its size: no table does.",
    ),
    "too_many_cells": ("行或单元格超过 {most} 个。请分成几份。", "More than {most} rows or cells. Split it."),
    "bad_encoding": (
        "编码不是 UTF-8 也不是 GB18030。请另存为“CSV UTF-8”。",
        "Neither UTF-8 nor GB18030. Save it as “CSV UTF-8”.",
    ),
    "broken_csv": ("CSV 格式有误：{why}。请检查引号。", "Not CSV: {why}. Look at the quotes."),
    "broken_geojson": ("不是有效的 GeoJSON：{why}。", "Not GeoJSON: {why}."),
    "no_table": (
        "文件中没有可导入的表。请下载模板对照。",
        "There is nothing to import in it. Compare it with a template.",
    ),
    # A sheet.
    "unknown_sheet": (
        "无法识别的工作表。请用模板中的名称：{known}；说明请写在名为“说明”的工作表。",
        "Not a table of ours. Known are {known}; notes belong on a sheet called 说明.",
    ),
    "merged": ("合并的单元格。请取消合并，每格填写。", "Merged cells. Unmerge them and fill each."),
    "unknown_column": (
        "未知的列。请检查列名，或删去此列。已知：{known}。",
        "Unknown column; mend or remove it. Known: {known}.",
    ),
    "column_twice": ("此列出现两次，请删去一列。", "This column is there twice; remove one."),
    "column_missing": ("缺少“{header}”列，请补上。", "The column {header} is missing; add it."),
    # A cell.
    "formula": ("公式不予采用。请复制后“选择性粘贴—数值”。", "A formula. Copy it and paste its value."),
    "cell_error": ("单元格显示错误值。请改正。", "The cell shows an error. Mend it."),
    "empty": ("不能为空，请填写。", "It is empty; fill it in."),
    "control_character": ("含有控制字符，请重新输入。", "It holds a control character; type it again."),
    "became_date": (
        "Excel 已把它变成日期。请把此列设为“文本”格式，重新输入。",
        "Excel made a date of it. Format the column as text and type it again.",
    ),
    "bad_id": (
        "编号只能用小写字母、数字和连字符，1–64 个，如 {example}。",
        "An id is 1 to 64 small letters, digits and hyphens, such as {example}.",
    ),
    "capital_id": (
        "编号不能有大写字母。请改为 {suggested}；仅大小写不同者视为同一编号。",
        "No capitals in an id. Write {suggested}; ids that differ in them alone are the same.",
    ),
    "bad_choice": ("请填以下之一：{known}。", "Write one of {known}."),
    "bad_flag": ("请填 是 或 否。", "Write 是 (yes) or 否 (no)."),
    "bad_number": ("应为数字。", "It must be a number."),
    "bad_whole": ("应为整数。", "It must be a whole number."),
    "bad_date": ("应为日期时间，如 2026-01-01 00:00:00+08:00。", "Not a time. Write it as 2026-01-01 00:00:00+08:00."),
    "bad_limit": ("时限应为大于 0、不超过 10000 的数。", "A limit is a number above 0, 10000 at most."),
    "bad_milestones": (
        "应形如 围护/Fence off:3 urgent_hour;修复/Repair:8 urgent_hour。",
        "Write it as 围护/Fence off:3 urgent_hour;修复/Repair:8 urgent_hour.",
    ),
    "last_milestone": ("最后一段的时限须等于总时限。", "The last part must have the limit of the whole."),
    "bad_value": ("取值有误：{why}", "It cannot be: {why}"),
    "number_as_text": (
        "Excel 把编号存成了数字，已读作 {read}。若原有前导零，请把此列设为“文本”后重填。",
        "Excel keeps it as a number; it is read as {read}. If it began with zeros, format the column as text.",
    ),
    # A record.
    "double": (
        "编号重复，{where} 已有。请删去一行或改编号。",
        "Given twice, first at {where}. Remove one or change its id.",
    ),
    "not_known": (
        "{target}“{wanted}”不存在。请先添加，或改正。",
        "There is no {target} {wanted}. Add it, or mend this.",
    ),
    "retired_target": (
        "{target}“{wanted}”已停用。请改为在用的。",
        "{target} {wanted} is retired. Name one that is not.",
    ),
    "still_needed": (
        "“{record}”不能停用或删去：{by}还在用它（{column}）。请先改那里。",
        "{record} cannot be retired or removed: {by} refers to it ({column}). Change that first.",
    ),
    "open_cases": (
        "“{record}”不能停用：还有 {count} 个在办案卷。请先办结或改派。",
        "{record} cannot be retired: {count} cases there are open. Close or reassign them first.",
    ),
    "moved_with_cases": (
        "“{record}”不能改上级：其下还有 {count} 个案卷。请停用后另建。",
        "{record} cannot be moved: {count} cases lie in it. Retire it and make a new one.",
    ),
    "cycle": ("上下级成环：{chain}。请改正其一。", "It lies inside itself: {chain}. Mend one of them."),
    "no_root": ("没有最上级的辖区（上级为空）。请补上市级。", "There is no area without a parent. Add the city."),
    "two_roots": (
        "除“{root}”外不能再有上级为空的辖区。请填上级。",
        "Only {root} has no parent. Say what this one lies in.",
    ),
    "no_conditions": (
        "类别没有立案条件。请在“立案条件”表中补上。",
        "A category without a condition. Add one to the sheet of conditions.",
    ),
    "city_missing": ("还没有城市。请补上“城市”表。", "There is no city yet. Add the sheet 城市 city."),
    "needs_area": (
        "未填辖区，坐标也不在任何辖区内。请填写，或改正坐标。",
        "No area is given, and its position lies in none. Give one, or mend the position.",
    ),
    "unsound": ("目录整体不成立：{why}", "The directory as a whole is not sound: {why}"),
    # A position or shape.
    "swapped": ("经纬度写反了，应先经度后纬度。请对调。", "Longitude and latitude are swapped. Exchange them."),
    "off_earth": ("不是经纬度。请用度为单位的小数。", "Not degrees of longitude and latitude."),
    "shape": ("{zh}{at}。请在制图软件中改正。", "{en}{at}. Mend it in the mapping program."),
    "shape_missing": (
        "第 {part} 段缺失。请按 1、2、3… 填写“段”。",
        "Part {part} is missing. Number the parts 1, 2, 3…",
    ),
    "bad_datum": ("坐标系应为 {known} 之一。", "The datum is one of {known}."),
    "outside_city": ("位置在城市范围之外，请核对。", "It lies outside the city. Look again."),
    "place_type_unknown": (
        "目录的类别中没有此点位类型，请核对。",
        "No category has this place type. Look again.",
    ),
    "map": ("{zh}", "{en}"),
    "rule": ("{zh}", "{en}"),
    "edition_waits": (
        "有一版类别将于 {at} 生效，此前不能导入类别。",
        "An edition of the catalogue waits for {at}; no categories can be imported before.",
    ),
    "dropped_later": (
        "将要生效的类别版本中没有“{wanted}”。",
        "An edition of the catalogue that waits for its day lacks {wanted}.",
    ),
    "zone_unknown": ("时区无法识别，请用 Asia/Shanghai 之类。", "No such time zone; write it like Asia/Shanghai."),
}


class Place(NamedTuple):
    """`row` as Excel counts; `column` is its letter and `header` its name. None: it is the whole sheet, or file."""

    sheet: str | None = None
    row: int | None = None
    column: int | None = None
    header: str | None = None

    @property
    def letter(self) -> str | None:
        return None if self.column is None else letter(self.column)

    def __str__(self) -> str:
        cell = f"{self.letter or ''}{'' if self.row is None else self.row}"
        return "!".join(part for part in (self.sheet, cell) if part) or "文件 file"


class Fault(NamedTuple):
    code: str
    place: Place
    value: str
    zh: str
    en: str

    def __str__(self) -> str:
        header = f"（{self.place.header}）" if self.place.header else ""
        value = f"“{self.value}”" if self.value else ""
        return f"{self.place}{header}{value}: {self.zh} {self.en}"


@dataclass(slots=True)
class Findings:
    """The first thousand, and how many there are."""

    listed: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, code: str, place: Place, value: str = "", **params: object) -> None:
        self.total += 1
        if len(self.listed) < MOST_LISTED:
            chinese, english = TEXTS[code]
            told = {"known": "", "where": "", **params}
            zh, en = _plain(chinese.format_map(told)), _plain(english.format_map(told))
            self.listed.append(Fault(code, _shown(place), shortened(value), zh, en))


@dataclass(slots=True)
class Report:
    faults: Findings = field(default_factory=Findings)
    warnings: Findings = field(default_factory=Findings)

    @property
    def sound(self) -> bool:
        return not self.faults.total

    def refuse(self, bad: BadFile, sheet: str | None = None) -> None:
        self.faults.add(bad.code, Place(sheet), "", **bad.params)


def shortened(value: str) -> str:
    """Fit for one line on a terminal."""
    plain = _plain(value)
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 1]}…"


def _plain(text: str) -> str:
    """Without what no terminal should get, and without what UTF-8 has no bytes for."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _shown(place: Place) -> Place:
    """The names of sheets and columns are the file's own words too."""
    sheet, header = place.sheet and _plain(place.sheet), place.header and shortened(place.header)
    return place._replace(sheet=sheet, header=header)
