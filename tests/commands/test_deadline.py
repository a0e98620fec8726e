"""`rectify deadline`, as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app


def rectify_deadline(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["deadline", *arguments], input=given)


class TestOneDeadline:
    @pytest.mark.parametrize(
        ("arguments", "answer"),
        [
            (["2026-02-14T09:00", "1", "work_day"], "2026-02-24T09:00:00+08:00"),
            (["2026-02-14 09:00", "1", "工作日"], "2026-02-24T09:00:00+08:00"),
            (["2026-02-14T01:00Z", "1", "work_day"], "2026-02-24T09:00:00+08:00"),
            (["2026-02-14", "1.5", "work_hour"], "2026-02-14T09:30:00+08:00"),
            (["2026-02-14T09:00", "1", "work_day", "--reading", "end_of_day"], "2026-02-24T18:00:00+08:00"),
            (["2026-12-31T09:00", "1", "work_day"], "2027-01-01T09:00:00+08:00 暂定 provisional"),
            (["1999-12-31T09:00", "1", "work_day"], "2000-01-03T09:00:00+08:00"),
            (["2100-01-01T09:00", "2", "urgent_work_hour"], "2100-01-01T11:00:00+08:00"),
        ],
    )
    def test_is_printed_in_the_zone_of_the_calendar(self, arguments: list[str], answer: str) -> None:
        result = rectify_deadline(*arguments)
        assert (result.exit_code, result.stdout) == (0, answer + "\n")

    def test_has_its_reasons_in_json(self) -> None:
        answer = json.loads(rectify_deadline("2026-09-30T16:00", "5", "work_hour", "--json").stdout)
        assert answer["due_at"] == "2026-10-08T11:00:00+08:00"
        assert answer["provisional"] is False
        assert answer["intervals"] == [
            {"start": "2026-09-30T16:00:00+08:00", "end": "2026-09-30T18:00:00+08:00", "seconds": 7200.0},
            {"start": "2026-10-08T08:00:00+08:00", "end": "2026-10-08T11:00:00+08:00", "seconds": 10800.0},
        ]

    def test_follows_a_calendar_file(self, tmp_path: Path) -> None:
        file = tmp_path / "ny.toml"
        file.write_text(
            'id = "ny"\nzone = "America/New_York"\nofficial_through = 2026-12-31\n[weekdays]\nmon-sun = ["00:00-06:00"]'
        )
        result = rectify_deadline("2026-03-08T00:00", "5", "work_hour", "--calendar", str(file))
        assert result.stdout == "2026-03-08T06:00:00-04:00\n"


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (["soon", "1", "work_day"], "'soon'"),
            (["2026-02-14", "-1", "work_day"], "'-1'"),
            (["2026-02-14", "many", "work_day"], "'many'"),
            (["2026-02-14", "1", "moon"], "'moon'"),
            (["2026-02-14"], "LIMIT and UNIT are missing"),
            (["-", "1", "work_day"], "no LIMIT and UNIT"),
            (["2026-02-14", "1", "work_day", "--calendar", "/no/such/file"], "/no/such/file"),
            (["9999-12-31", "1", "work_day"], "beyond"),
            (["0001-01-01", "1", "work_day"], "beyond"),
            (["1890-01-01", "1", "natural_day"], "beyond"),
        ],
    )
    def test_get_one_line_and_exit_code_2(self, arguments: list[str], named: str) -> None:
        result = rectify_deadline(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert named in result.stderr
        assert result.stderr.count("\n") == 1

    def test_a_faulty_calendar_names_its_key(self, tmp_path: Path) -> None:
        file = tmp_path / "bad.toml"
        file.write_text(
            'id = "x"\nzone = "Mars/Olympus"\nofficial_through = 2026-12-31\n[weekdays]\nmon = ["08:00-12:00"]'
        )
        result = rectify_deadline("2026-02-14", "1", "work_day", "--calendar", str(file))
        assert result.exit_code == 2
        assert "zone: unknown time zone" in result.stderr


class TestALedger:
    LINES = "start,limit,unit\n2026-02-14T09:00,1,work_day\n2026-12-31T09:00,1,work_day\n"

    def test_gets_a_line_for_each_line(self) -> None:
        result = rectify_deadline("-", given=self.LINES)
        assert result.exit_code == 0
        assert result.stdout == "2026-02-24T09:00:00+08:00\n2027-01-01T09:00:00+08:00 暂定 provisional\n"

    def test_may_come_from_a_spreadsheet(self) -> None:
        given = b"\xef\xbb\xbfStart,Limit,Unit\r\n" + '"2026-02-14 09:00",1,"工作日"\r\n'.encode()
        assert rectify_deadline("-", given=given).stdout == "2026-02-24T09:00:00+08:00\n"

    def test_a_bad_line_spoils_neither_order_nor_the_others(self) -> None:
        result = rectify_deadline("-", given=self.LINES + "\nsoon,1,work_day\n2026-02-14T09:00,2,urgent_day\n")
        assert result.exit_code == 1
        good, _, empty, bad, last = result.stdout.splitlines()
        assert good.startswith("2026-02-24")
        assert "line 4" in empty
        assert "line 5" in bad
        assert last == "2026-02-16T09:00:00+08:00"

    def test_errors_are_objects_in_json(self) -> None:
        result = rectify_deadline("-", "--json", given=self.LINES + "2026-02-14,1,moon\nnonsense\n\xff,1,work_day\n")
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert result.exit_code == 1
        assert [row.get("due_at") for row in rows[:2]] == ["2026-02-24T09:00:00+08:00", "2027-01-01T09:00:00+08:00"]
        assert [(row["line"], row["error"]["code"]) for row in rows[2:]] == [
            (4, "bad_unit"),
            (5, "bad_line"),
            (6, "bad_start"),
        ]

    def test_an_empty_one_is_fine(self) -> None:
        result = rectify_deadline("-")
        assert (result.exit_code, result.stdout) == (0, "")

    def test_is_answered_line_by_line(self) -> None:
        command = [sys.executable, "-c", "from cli import main; main()", "deadline", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("2026-02-14T09:00,1,work_day\n")
            process.stdin.flush()
            assert process.stdout.readline() == "2026-02-24T09:00:00+08:00\n"


class TestStartUp:
    def test_loads_neither_server_nor_engine(self) -> None:
        script = "import sys, commands.deadline; print({'fastapi', 'temporalio', 'sqlmodel'} & set(sys.modules))"
        loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
        assert loaded.stdout == "set()\n"
