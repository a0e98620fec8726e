from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.mapping import File
from ledger.reading import BadLedger, LedgerFile
from ledger.refusals import Row

COLUMNS = {"a": "reference", "b": "description"}


def read(path: Path, content: bytes, layout: File | None = None) -> Sequence[Row]:
    path.write_bytes(content)
    with LedgerFile(path, layout or File(), COLUMNS) as ledger:
        return list(ledger.rows())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.csv"


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_the_one_that_fits_is_found(self, path: Path, encoding: str) -> None:
        (row,) = read(path, "a,b\n1,巷口垃圾\n".encode(encoding))
        assert row.cells == {"a": "1", "b": "巷口垃圾"}

    def test_a_byte_that_does_not_fit_spoils_only_its_row(self, path: Path) -> None:
        rows = read(path, b"a,b\n1,good\n2,\xff\xfe\n3,good\n", File(encodings=("utf-8-sig",)))
        assert [row.flaw for row in rows] == [None, "encoding_invalid", None]


class TestCells:
    def test_a_quoted_cell_may_hold_line_breaks_and_delimiters(self, path: Path) -> None:
        first, second = read(path, b'a,b\r\n1,"two\r\nlines, ""quoted"""\r\n2,x\r\n')
        assert first.cells["b"] == 'two\r\nlines, "quoted"'
        assert second.number == 2

    def test_they_are_stripped_but_kept_as_they_were(self, path: Path) -> None:
        (row,) = read(path, b"a , b\n 1 ,x\n")
        assert row.cells == {"a": "1", "b": "x"}
        assert row.raw == [" 1 ", "x"]

    def test_another_delimiter(self, path: Path) -> None:
        (row,) = read(path, b"a;b\n1;x,y\n", File(delimiter=";"))
        assert row.cells["b"] == "x,y"

    def test_blank_lines_are_no_rows(self, path: Path) -> None:
        assert [row.number for row in read(path, b"a,b\n\n1,x\n\n2,y\n\n")] == [1, 2]

    def test_too_few_or_too_many_cells_spoil_their_row_and_lose_nothing(self, path: Path) -> None:
        few, many, good = read(path, b"a,b\n1\n2,x,y\n3,z\n")
        assert (few.flaw, few.raw) == ("row_malformed", ["1", ""])
        assert (many.flaw, many.raw) == ("row_malformed", ["2", "x,y"])
        assert good.flaw is None

    def test_a_stray_quote_does_not_swallow_the_rest_of_a_long_file(self, path: Path) -> None:
        rows = read(path, b'a,b\n1,"x\n' + b"2,y\n" * 100_000)
        assert rows[0].flaw == "row_malformed"
        assert rows[-1].cells == {"a": "2", "b": "y"}


class TestHeaders:
    def test_a_missing_column_is_named_with_its_key_and_those_that_are_there(self, path: Path) -> None:
        with pytest.raises(BadLedger, match=r"description.*the file has: a, c"):
            read(path, b"a,c\n1,2\n")

    def test_a_column_that_stands_twice_is_refused(self, path: Path) -> None:
        with pytest.raises(BadLedger, match="stands there twice"):
            read(path, b"a,b,b\n1,2,3\n")

    def test_an_empty_file_has_no_columns(self, path: Path) -> None:
        with pytest.raises(BadLedger, match="reference"):
            read(path, b"")
