"""What `directory.map_check` found, as lines for people."""

from collections import Counter
from collections.abc import Iterator, Mapping

from directory.map_check import DOUBTS, Checked, Doubt, Finding
from directory.model import Area
from directory.shapes import FLAWS

_HECTARE = 10_000


def lines(found: Checked, areas: Mapping[str, Area], most: int | None) -> Iterator[str]:
    """The largest first, so many of each kind; at the end how many there are."""
    for doubt, (chinese, english) in DOUBTS.items():
        ordered = sorted(
            (each for each in found.findings if each.doubt is doubt), key=lambda each: -(each.square_metres or 0)
        )
        yield from (f"{chinese} {english}: {_line(each, areas)}" for each in ordered[:most])
        if most is not None and len(ordered) > most:
            yield f"{chinese} {english}: …… 另有 {len(ordered) - most} 处（--all 全部列出） and more"
    counts = Counter(each.doubt for each in found.findings)
    told = "，".join(f"{DOUBTS[doubt][0]} {counts[doubt]}" for doubt in Doubt)
    drawn = sum(1 for area in areas.values() if area.shape is not None and not area.retired)
    yield f"{drawn} 个有图形的辖区 areas with a shape: {told}"


def _line(finding: Finding, areas: Mapping[str, Area]) -> str:
    named = " / ".join(f"{each}（{areas[each].name_zh}）" for each in finding.areas)
    parts = [named]
    if finding.flaw is not None:
        parts.append(" ".join(FLAWS[finding.flaw]))
    if finding.square_metres is not None and finding.share is not None:
        parts.append(f"{_size(finding.square_metres)} ({finding.share:.1%})")
    if finding.place is not None:
        parts.append(f"@ {finding.place[0]}, {finding.place[1]}")
    return " ".join(parts)


def _size(square_metres: float) -> str:
    return f"{square_metres / _HECTARE:.1f} ha" if square_metres >= _HECTARE else f"{square_metres:.0f} m²"
