"""The first start after a restore: people are served once the lists agree with Temporal, and not kept out for ever."""

import asyncio
from pathlib import Path

import pytest

from embedded import supervisor
from embedded.children import Child, Program
from embedded.folder import Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(supervisor, "_AGAIN_AFTER", 0.0)
    folder = Folder(tmp_path)
    folder.restored.write_text("{}")
    return folder


def rebuild(folder: Folder, *codes: int) -> Child:
    """Ends with one code after the other, and with the last of them from then on. Leaves a line for each time."""
    cases = " ".join(f"{number}) exit {code};;" for number, code in enumerate(codes[:-1], 1))
    runs = folder.path / "runs"
    script = f"echo x >> {runs}; case $(grep -c x {runs}) in {cases} *) exit {codes[-1]};; esac"
    return Child(Program("rebuild", ("/bin/sh", "-c", script)))


async def mended(folder: Folder, *codes: int) -> int:
    """How often it was tried."""
    async with asyncio.timeout(20):
        await supervisor._mend(rebuild(folder, *codes), folder)
    return len((folder.path / "runs").read_text().split())


class TestTheRebuild:
    async def test_is_done_once_and_never_again(self, folder: Folder) -> None:
        assert await mended(folder, 0) == 1
        assert not folder.restored.exists()

    async def test_is_tried_until_it_can_be_asked(self, folder: Folder) -> None:
        assert await mended(folder, 2, 2, 2, 2, 2, 0) == 6
        assert not folder.restored.exists()

    async def test_is_done_again_where_a_case_did_not_answer(self, folder: Folder) -> None:
        assert await mended(folder, 1, 0) == 2
        assert not folder.restored.exists()

    async def test_keeps_nobody_out_for_what_only_a_person_can_mend(self, folder: Folder) -> None:
        assert await mended(folder, 1) == 3
        assert folder.restored.exists()


class TestTheOthers:
    async def test_wait_for_it(self, tmp_path: Path) -> None:
        done, begun = asyncio.Event(), tmp_path / "begun"
        child = Child(Program("api", ("/bin/sh", "-c", f"echo x > {begun}; sleep 60")))
        mending = asyncio.create_task(done.wait())
        waiting = asyncio.create_task(supervisor._keep_after(mending, child))  # type: ignore[arg-type]  # its result is nobody's business
        await asyncio.sleep(0)
        assert child._process is None
        done.set()
        async with asyncio.timeout(20):
            while not begun.exists():  # noqa: ASYNC110 - another process makes it, and tells nobody
                await asyncio.sleep(0.01)
        waiting.cancel()
        await child.stop(until=asyncio.get_running_loop().time() + 5)
