"""The worker of the bare workflows, in a process of its own, and what it tells of bells that rang."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from bench.stack import ROOT, program


class Ring(NamedTuple):
    """`late`: seconds after it was due, by the workflow's own history. `at`: by the wall's clock."""

    name: str
    late: float
    at: float


@dataclass
class FloorWorker:
    process: subprocess.Popen[bytes]
    rings: list[Ring] = field(default_factory=list)

    def listen(self) -> None:
        for line in self.process.stdout or ():
            match line.decode().split():
                case [name, late, at] if name.startswith("bell-"):  # the SDK logs here too
                    self.rings.append(Ring(name, float(late), float(at)))


@contextlib.contextmanager
def floor_worker(address: str) -> Iterator[FloorWorker]:
    with tempfile.TemporaryDirectory(prefix="rectify-bench-") as folder:
        log = Path(folder) / "floor.log"
        command = [sys.executable, "-P", "-m", "bench.bare", address]
        with program(command, {"PYTHONPATH": str(ROOT)}, log=log, stdout=subprocess.PIPE) as process:
            worker = FloorWorker(process)
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the floor's worker does not start:\n{log.read_text()[-2000:]}")
            listener = Thread(target=worker.listen, name="bells", daemon=True)
            listener.start()
            yield worker
        listener.join(5)
        process.stdout.close()
