"""Why a row is not taken in, in words that help to mend it; and the file that holds such rows.

What the core refuses (an unknown category, a place outside the city) keeps the core's code and sentence.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

from domain.errors import RectifyError
from domain.sentences import sentence
from domain.words import Words

REASONS: dict[str, Words] = {
    "row_malformed": (
        "该行列数与表头不符，或引号有误。请检查分隔符和引号。",
        "The row has more or fewer cells than the header, or a stray quote. Check delimiters and quotes.",
    ),
    "encoding_invalid": (
        "该行含有无法解码的字节。请检查文件编码。",
        "The row holds bytes that the file's encoding does not know. Check the encoding.",
    ),
    "reference_missing": ("没有外部编号。请补上。", "There is no external reference. Add one."),
    "reference_duplicate": (
        "外部编号在本文件中已出现过（{detail}）。请保留一行。",
        "The external reference stands in this file already ({detail}). Keep one of the rows.",
    ),
    "time_missing": ("没有发现时间。请补上。", "There is no discovery time. Add it."),
    "time_unreadable": (
        "时间“{detail}”不符合任何格式。请检查映射中的 time.formats。",
        "The time “{detail}” fits no format. Check time.formats in the map.",
    ),
    "time_impossible": (
        "时间“{detail}”不存在：夏令时开始时被跳过。请核对。",
        "There was no “{detail}”: daylight saving skipped it. Check the time.",
    ),
    "closed_in_future": ("结案时间在将来：{detail}。请核对。", "It would be closed in the future: {detail}. Check it."),
    "closed_before_opened": (
        "结案时间早于发现时间。请核对两个时间。",
        "It was closed before it was discovered. Check both times.",
    ),
    "coordinates_unreadable": (
        "坐标“{detail}”不是数，或只有一个。请核对经纬度。",
        "The coordinates “{detail}” are no pair of numbers. Check longitude and latitude.",
    ),
    "category_unmapped": (
        "类别“{detail}”没有对应。请在映射的 category.values 中补上。",
        "The category “{detail}” is not mapped. Add it to category.values in the map.",
    ),
    "area_unmapped": (
        "辖区“{detail}”不在名录中。请补入 area.values，或使用 --create-missing。",
        "The area “{detail}” is not known. Add it to area.values, or use --create-missing.",
    ),
    "unit_unmapped": (
        "责任单位“{detail}”不在名录中。请补入 unit.values，或使用 --create-missing。",
        "The unit “{detail}” is not known. Add it to unit.values, or use --create-missing.",
    ),
    "text_missing": ("{detail} 为空。请填写。", "{detail} is empty. Fill it in."),
    "text_too_long": (
        "{detail}。原文不会被截断，请缩短后重新导入。",
        "{detail}. Nothing is cut; shorten it and import the row again.",
    ),
    "text_invalid": ("内容有误：{detail}。请修改。", "A value is not valid: {detail}. Correct it."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger. `number` counts the rows after the header from 1; `flaw`: it cannot even be read.

    `raw` is as wide as the header, `cells` are stripped and by column.
    """

    number: int
    raw: Sequence[str]
    cells: Mapping[str, str]
    flaw: str | None = None


class Refused(Exception):
    """A row that is not taken in. `code` is one of REASONS."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail if len(detail) <= 120 else detail[:120] + "…"  # noqa: PLR2004 - enough to find it


def reason(error: Refused | RectifyError) -> str:
    """Chinese / English."""
    if isinstance(error, RectifyError) and error.code not in REASONS:
        return f"{sentence(error.code, error.params, 'zh')} / {sentence(error.code, error.params, 'en')}"
    detail = error.detail if isinstance(error, Refused) else ""
    return " / ".join(words.replace("{detail}", detail) for words in REASONS[error.code])


class RefusedFile:
    """The original columns, then `row_number`, `code` and `reason`. There is no file while nothing was refused.

    UTF-8 with a mark at its start, which spreadsheets need to see; bytes that could not be read are escaped.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self._header = header
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, error: Refused | RectifyError) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
            csv.writer(self._file).writerow([*self._header, "row_number", "code", "reason"])
        csv.writer(self._file).writerow([*row.raw, row.number, error.code, reason(error)])
