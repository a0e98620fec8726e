"""Files that are refused: each with a place and what to do, and nothing is changed."""

import gc
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import numbers

from directory.demo_city import demo_directory
from exchange import archives
from exchange.files import Source, read
from exchange.merging import Before, Mode
from exchange.plan import plan
from tests.exchange.files import exported, workbook

DEMO = demo_directory()
UNITS = ("编号 id", "名称", "area")


def refused(path: Path) -> list[tuple[str, str]]:
    report = plan(read([Source(path, path.name)]), Before(DEMO), Mode.MERGE).reading.report
    assert all(each.zh and each.en for each in report.faults.listed)
    return [(each.code, str(each.place)) for each in report.faults.listed]


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


class TestCells:
    def test_formulas_are_refused_and_never_computed(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, ("new", '=CONCATENATE("a","b")', "qinghe")]})
        assert refused(path) == [("formula", "单位!B2")]

    def test_merged_cells_are_refused(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, ("new", "新", "qinghe"), ("newer", "", "")]})
        book = openpyxl.load_workbook(path)
        book.worksheets[0].merge_cells("B2:B3")
        book.save(path)
        assert ("merged", "单位") in refused(path)

    def test_what_excel_made_a_date_of_is_noticed(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.title = "单位"
        sheet.append(UNITS)
        sheet.append((45_000, "新", "qinghe"))
        sheet["A2"].number_format = numbers.FORMAT_DATE_YYYYMMDD2
        book.save(tmp_path / "a.xlsx")
        assert refused(tmp_path / "a.xlsx") == [("became_date", "单位!A2")]

    def test_a_number_for_an_id_is_read_and_told_of(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, (1, "新", "qinghe")]})
        planned = plan(read([Source(path, "a")]), Before(DEMO), Mode.MERGE)
        assert [change.id for change in planned.changes] == ["1"]
        assert [each.code for each in planned.reading.report.warnings.listed] == ["number_as_text"]

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            (("", "新", "qinghe"), ("empty", "单位!A4")),
            (("Neu", "新", "qinghe"), ("capital_id", "单位!A4")),
            (("n u", "新", "qinghe"), ("bad_id", "单位!A4")),
            (("new", "新", "nowhere"), ("not_known", "单位!C4")),
        ],
    )
    def test_are_named_by_the_row_that_excel_shows(
        self, tmp_path: Path, row: tuple[str, ...], told: tuple[str, str]
    ) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, (), (), row]})
        assert refused(path) == [told]

    def test_are_all_told_of_at_once_and_counted(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, *(("", "新", "qinghe") for _ in range(1_500))]})
        faults = read([Source(path, "a")]).report.faults
        assert (len(faults.listed), faults.total) == (1_000, 1_500)


_BOOK = {
    "xl/workbook.xml": b'<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets>'
    b'<sheet name="city" r:id="a"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": b'<Relationships><Relationship Id="a" Target="s.xml"/></Relationships>',
    "xl/styles.xml": b'<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    "xl/sharedStrings.xml": b"<sst><si><t>a</t></si></sst>",
}
_HEADS = "".join(f'<c t="str"><v>{name}</v></c>' for name in ("city_zh", "zone", "valid_from"))


class TestCellsThatNoSpreadsheetWrites:
    """What fuzzing found."""

    def refused(self, folder: Path, cell: str, **more: bytes) -> list[str]:
        rows = f'<row>{_HEADS}</row><row r="2"><c t="str"><v>x</v></c><c t="str"><v>UTC</v></c>{cell}</row>'
        sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
        path = packed(folder / "a.xlsx", {**_BOOK, "xl/s.xml": sheet, **more})
        return [code for code, _ in refused(path)]

    @pytest.mark.parametrize("index", ["²", "9" * 5_000, "1", ""])
    def test_strings_that_are_not_there_are_refused(self, tmp_path: Path, index: str) -> None:
        told = self.refused(tmp_path, f'<c t="s"><v>{index}</v></c>')
        assert told == (["broken_workbook"] if index else [])

    @pytest.mark.parametrize("rows", [[("_xD800_",)], [UNITS, ("_xD800_", "新", "_xDFFF_")]])
    def test_what_has_no_bytes_is_told_of_in_what_has(self, tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": rows})
        faults = read([Source(path, "a")]).report.faults.listed
        assert faults
        assert all("\N{REPLACEMENT CHARACTER}".encode() in str(each).encode() for each in faults[:1])

    def test_rows_and_formats_with_odd_digits_are_passed_over(self, tmp_path: Path) -> None:
        styles = _BOOK["xl/styles.xml"].replace(b'"0"', '"²"'.encode())
        assert self.refused(tmp_path, '</row><row r="²">', **{"xl/styles.xml": styles}) == []

    @pytest.mark.parametrize("day", ["nan", "x", "-1", "1E400", "2958465", "2958466"])
    def test_days_that_are_none_are_told_of(self, tmp_path: Path, day: str) -> None:
        assert self.refused(tmp_path, f'<c s="1"><v>{day}</v></c>') == ["bad_date"]

    def test_a_number_of_a_billion_digits_is_not_written_out(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path, "<c><v>1E999999999</v></c>") == ["bad_date"]

    @pytest.mark.parametrize("encoding", ["utf-7", "x", "rot13"])
    def test_xml_in_an_encoding_of_no_use_is_refused(self, tmp_path: Path, encoding: str) -> None:
        strings = f'<?xml version="1.0" encoding="{encoding}"?><sst/>'.encode()
        assert self.refused(tmp_path, "", **{"xl/sharedStrings.xml": strings}) == ["broken_workbook"]


class TestColumnsAndSheets:
    def test_may_come_in_any_order(self, tmp_path: Path) -> None:
        path = workbook(
            tmp_path / "a.xlsx", {"units": [("area", "英文名称", "id*", "名称"), ("qinghe", "", "new", "新")]}
        )
        planned = plan(read([Source(path, "a")]), Before(DEMO), Mode.MERGE)
        assert [change.id for change in planned.changes] == ["new"]
        assert planned.after is not None
        assert planned.after.unit_by_id["new"].name_en == "新"

    def test_that_are_unknown_missing_or_twice_are_told_of(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"单位": [("编号", "id", "颜色")], "杂项": [("甲",)], "说明": [("乙",)]})
        assert refused(path) == [
            ("column_twice", "单位!B1"),
            ("unknown_column", "单位!C1"),
            ("column_missing", "单位!1"),
            ("column_missing", "单位!1"),
            ("unknown_sheet", "杂项"),
        ]


class TestCsv:
    ROWS = "编号,名称,辖区\r\nnew,清运队,qinghe\r\n"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("mark", [",", ";", "\t"])
    def test_of_every_office_is_read(self, tmp_path: Path, encoding: str, mark: str) -> None:
        path = tmp_path / "单位.csv"
        path.write_bytes(self.ROWS.replace(",", mark).encode(encoding))
        planned = plan(read([Source(path, path.name)]), Before(DEMO), Mode.MERGE)
        assert planned.after is not None
        assert planned.after.unit_by_id["new"].name_zh == "清运队"

    def test_is_left_without_a_word_where_its_header_is_wrong(self, tmp_path: Path) -> None:
        path = tmp_path / "units.csv"
        path.write_bytes(b"colour\nred\n")
        assert [code for code, _ in refused(path)] == ["unknown_column"] + ["column_missing"] * 3
        gc.collect()

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"\xff\xfe\x00a", "unknown_kind"),
            (b"id,\xff\xff\n", "bad_encoding"),
            (b'id,name_zh,area\n"a"b,c\n', "broken_csv"),
        ],
    )
    def test_that_is_none_is_refused(self, tmp_path: Path, data: bytes, code: str) -> None:
        path = tmp_path / "units.csv"
        path.write_bytes(data)
        assert [each for each, _ in refused(path)] == [code]


class TestArchives:
    def test_that_unpack_to_a_thousand_times_their_size_are_not_unpacked(self, tmp_path: Path) -> None:
        path = packed(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<workbook/>", "xl/a.xml": b" " * 20_000_000})
        assert [code for code, _ in refused(path)] == ["zip_bomb"]

    def test_that_are_too_large_are_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000)
        path = exported(tmp_path / "a.xlsx", DEMO)
        assert [code for code, _ in refused(path)] == ["unpacks_too_large"]

    def test_that_lie_about_their_size_are_refused(self, tmp_path: Path) -> None:
        path = exported(tmp_path / "a.zip", DEMO)
        data = bytearray(path.read_bytes())
        at = data.rindex(b"PK\x01\x02")
        data[at + 24 : at + 28] = (10).to_bytes(4, "little")
        path.write_bytes(data)
        assert ("broken_archive", "a.zip") in refused(path)

    @pytest.mark.parametrize(
        ("at", "spoilt"),
        [(42, b"\xff\xff\xff\xff"), (10, b"\x0c"), (10, b"\x0e"), (10, b"\x63"), (8, b"\x00\x08\x08\x00")],
    )
    def test_whose_directory_is_spoilt_are_refused(self, tmp_path: Path, at: int, spoilt: bytes) -> None:
        """Where the file begins, how it is packed, how its name is written."""
        path = packed(tmp_path / "a.zip", {"units\u00ff.csv": b"id,name_zh,area\n" * 9})
        data = bytearray(path.read_bytes())
        start = data.rindex(b"PK\x01\x02")
        data[start + at : start + at + len(spoilt)] = spoilt
        path.write_bytes(data.replace("\u00ff".encode(), b"\xff\xff") if at == 8 else data)
        assert [code for code, _ in refused(path)] == ["broken_archive"]

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({"xl/workbook.bin": b""}, "binary_workbook"),
            ({"xl/workbook.xml": b"<workbook/>", "xl/vbaProject.bin": b""}, "macros"),
            ({"xl/workbook.xml": b"<!DOCTYPE w [<!ENTITY a 'aa'>]><w>&a;</w>"}, "xml_declares_entities"),
            ({"xl/workbook.xml": b"<workbook"}, "broken_workbook"),
            ({"a.txt.exe": b""}, "no_workbook"),
        ],
    )
    def test_of_other_kinds_are_refused(self, tmp_path: Path, files: dict[str, bytes], code: str) -> None:
        assert [each for each, _ in refused(packed(tmp_path / "a.xlsx", files))] == [code]

    def test_old_and_encrypted_workbooks_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xls"
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
        assert refused(path) == [("old_excel", "a.xls")]

    @pytest.mark.parametrize("cut", [10, 400, 3_000])
    def test_that_were_cut_off_are_refused(self, tmp_path: Path, cut: int) -> None:
        path = exported(tmp_path / "a.xlsx", DEMO)
        path.write_bytes(path.read_bytes()[:-cut])
        assert refused(path)

    def test_bytes_turned_over_change_nothing_or_are_refused(self, tmp_path: Path) -> None:
        whole = exported(tmp_path / "a.xlsx", DEMO).read_bytes()
        for at in range(40, len(whole), len(whole) // 60):
            spoilt = bytearray(whole)
            spoilt[at] ^= 0xFF
            (tmp_path / "b.xlsx").write_bytes(spoilt)
            planned = plan(read([Source(tmp_path / "b.xlsx", "b")]), Before(DEMO), Mode.MERGE)
            assert planned.changes_nothing or not planned.reading.report.sound


class TestACity:
    def test_that_is_founded_with_an_edition_that_cannot_be_is_told_of(self, tmp_path: Path) -> None:
        city = [("城市名称", "时区", "version"), ("清和市", "Asia/Shanghai", 0)]
        path = workbook(tmp_path / "a.xlsx", {"城市": city})
        planned = plan(read([Source(path, "a")]), Before(), Mode.MERGE)
        told = [(each.code, str(each.place)) for each in planned.reading.report.faults.listed]
        assert (planned.after, told) == (None, [("bad_value", "城市!C2")])


class TestGeoJson:
    @pytest.mark.parametrize("data", [b"{", b"{}", b'{"features":[1]}', b'{"features":' + b"[" * 5_000])
    def test_that_is_none_is_refused(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "a.geojson"
        path.write_bytes(data)
        assert [code for code, _ in refused(path)] == ["broken_geojson"]


def test_a_second_reader_of_workbooks_finds_the_same(tmp_path: Path) -> None:
    path = exported(tmp_path / "a.xlsx", DEMO)
    theirs = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True)
    ours = read([Source(path, "a")])
    for name, lines in ours.given.items():
        sheet = next(each for each in theirs.worksheets if each.title.endswith(f" {name}"))
        assert sum(any(row) for row in sheet.iter_rows(min_row=2, values_only=True)) == len(lines)
