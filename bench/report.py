"""`python -m bench.report`: writes docs/performance.md and docs/plots/ from bench/results/latest.json."""

import sys
from pathlib import Path

from bench import page, plots, results

TEMPLATE = Path(__file__).with_name("performance.md.in")
DOCS = Path(__file__).parents[1] / "docs"
PAGE = "performance.md"


def written(latest: page.Results) -> str:
    return page.render(TEMPLATE.read_text("utf-8"), latest)


def write(folder: Path = DOCS, latest: Path = results.FOLDER / results.LATEST) -> list[Path]:
    found = results.load(latest)
    path = folder / PAGE
    path.write_text(written(found), "utf-8")
    return [path, *plots.draw(found, folder / "plots")]


if __name__ == "__main__":
    for each in write(*map(Path, sys.argv[1:])):
        sys.stdout.write(f"{each}\n")
