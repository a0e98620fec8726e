"""docs/performance.md from `latest.json` and the prose of `bench/performance.md.in`. Pure: text in, text out.

`{{name}}` in the prose stands for the table or the plot of that name; what has not been measured yet says so.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import eq, ge, le, lt
from statistics import median
from typing import Any, NamedTuple

from bench.figures import growth as growth_of

#: As it comes from JSON.
Results = Mapping[str, Any]
NOT_YET = "*Not measured yet.*"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_THOUSAND = 1000
#: The sizes between which reads should be flat, and what each store may take (milliseconds).
READ_GOALS = {"postgres": 50.0, "sqlite": 150.0}
#: The exponent up to which we call a read flat: ten times the cases take 1.4 times as long.
FLAT = 0.15
#: Of each store, the slowest at its largest size; all are in the results.
_SLOWEST = 10


class Goal(NamedTuple):
    """Without a limit there is nothing to meet."""

    path: tuple[str, ...]
    says: str
    sign: str = ""
    limit: float | None = None

    def met(self, value: float) -> str:
        if self.limit is None:
            return ""
        return "yes" if _HOLDS[self.sign](value, self.limit) else "**no**"

    @property
    def text(self) -> str:
        return "" if self.limit is None else f"{self.sign} {shown(self.limit)}"


_HOLDS: dict[str, Callable[[float, float], bool]] = {"≥": ge, "≤": le, "<": lt, "=": eq}
GOALS = (
    Goal(("floor_ratio",), "lives a second over HTTP, of bare Temporal's", "≥", 0.85),
    Goal(("command_p50_ratio_at_1",), "p50 of a command, of bare Temporal's", "<", 2),
    Goal(("peer_ratio", "postgres"), "lives a second, of DBOS's on PostgreSQL", "≥", 2),
    Goal(("peer_ratio", "sqlite"), "lives a second, of DBOS's on SQLite", "≥", 2),
    Goal(("peer_ratio", "sqlite_tuned"), "the same, DBOS with a write-ahead log and quicker polling"),
    Goal(("events_per_life",), "history events, life of six commands", "≤", 60),
    Goal(("bytes_per_life",), "history bytes, the same life", "≤", 25_000),
    Goal(("actions_per_life",), "Temporal actions, the same life"),
    Goal(("sql_bytes_per_case",), "bytes in SQL, the same life"),
    Goal(("herd_drain_ratio",), "time to drain a herd, of bare timers'", "≤", 1.3),
    Goal(("herd_duplicates",), "escalations that came twice", "=", 0),
    Goal(("first_command_after_restart_s",), "seconds from a killed worker to the first answer"),
    Goal(("long_case_last_to_first",), "a command of a long case, the last ones by the first"),
    Goal(("lookups_per_cpu_second",), "places found on a large map"),
    Goal(("routing_p99_ms",), "CPU of placing and routing a report on it, p99"),
)


def render(template: str, results: Results) -> str:
    """KeyError for a place that nothing is for."""

    def filled(place: re.Match[str]) -> str:
        name = place[1]
        if name in IMAGES:
            table, says = IMAGES[name]
            return f"![{says}](plots/{name.removesuffix('_plot')}.svg)" if TABLES[table](results) else ""
        return "\n".join(TABLES[name](results)) or NOT_YET

    return re.sub(r"\n{3,}", "\n\n", _PLACE.sub(filled, template))


def details(results: Results, benchmark: str) -> Results:
    found: Results = results.get("details", {}).get(benchmark, {})
    return found


def tabled(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = ["| " + " | ".join(shown(cell) for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *lines] if lines else []


def shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:g}"


def _machine(results: Results) -> list[str]:
    names = {"model": "processor", "memory_gb": "memory, GB", "temporal_server": "Temporal server"}
    rows = [(names.get(name, name), value) for name, value in results.get("machine", {}).items()]
    return tabled(("", ""), rows)


def _summary(results: Results) -> list[str]:
    rows = [row for goal in GOALS if (row := _judged(goal, results))]
    rows += [row for store, most in READ_GOALS.items() if (row := _reads_judged(store, most, results))]
    rows += [row for store in READ_GOALS for row in _flatness(store, results)]
    return tabled(("figure", "value", "goal", "met", "measured with", "when"), rows)


def _judged(goal: Goal, results: Results) -> tuple[object, ...] | None:
    value: Any = results
    for name in goal.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return None
    name = f"`{'.'.join(goal.path)}` {goal.says}"
    return name, value, goal.text, goal.met(value), *_origin(results, goal.path[0])


def _reads_judged(store: str, most: float, results: Results) -> tuple[object, ...] | None:
    by_size = results.get("read_p99_ms", {}).get(store)
    if not by_size:
        return None
    largest = max(by_size, key=int)
    question, worst = max(by_size[largest].items(), key=lambda each: float(each[1]))
    goal = Goal((), f"`read_p99_ms` the slowest of {len(by_size[largest])} questions, {store}: {question}", "<", most)
    return goal.says, worst, goal.text, goal.met(worst), *_origin(results, "read_p99_ms")


def _flatness(store: str, results: Results) -> Iterable[tuple[object, ...]]:
    by_size = results.get("read_p99_ms", {}).get(store, {})
    if len(by_size) > 1:
        for which, k in growth_of(by_size).items():
            goal = Goal((), f"`read_p99_ms` exponent of its growth, {store}: {_READS[which]}", "≤", FLAT)
            yield goal.says, k, goal.text, goal.met(k), *_origin(results, "read_p99_ms")


_READS = {"worst": "the slowest read", "median": "the read in the middle"}


def _origin(results: Results, figure: str) -> tuple[str, str]:
    size = results.get("sizes", {}).get(figure, {})
    run = results.get("runs", {}).get(figure, {})
    told = ", ".join(f"{name.replace('_', ' ')} {_size(value)}" for name, value in size.items())
    where = _elsewhere(results, str(run.get("benchmark", "")))
    return told, f"{str(run.get('date', ''))[:10]} `{run.get('commit', '')}`{where}"


def _elsewhere(results: Results, benchmark: str) -> str:
    """The processor, if it is another than the page's machine has."""
    there = details(results, benchmark).get("machine", {}).get("model")
    return "" if there in {None, results.get("machine", {}).get("model")} else f", {there}"


def _size(value: object) -> str:
    return " to ".join(map(shown, value)) if isinstance(value, list) else shown(value)


def _floor(results: Results) -> list[str]:
    sides = ("floor", "ours")
    rows = [
        (
            f"{width}, {side}",
            each[side]["lives_per_second"],
            *(each[side]["command"][name] for name in ("p50_ms", "p95_ms", "p99_ms")),
            each["ratio"] if side == "ours" else "",
        )
        for width, each in _by_number(details(results, "floor").get("by_width", {}))
        for side in sides
    ]
    return tabled(("at once", "lives a second", "command p50, ms", "p95", "p99", "ratio"), rows)


def _cpu(results: Results) -> list[str]:
    parts = ("api", "worker", "server", "load")
    rows = []
    for width, each in _by_number(details(results, "floor").get("by_width", {})):
        for side in ("floor", "ours"):
            used = each[side]["cpu_ms_per_life"]
            total = round(sum(used.values()), 1)
            rows.append((f"{width}, {side}", *(used.get(part, "") for part in parts), total))
    return tabled(("at once", "API, ms", "worker", "Temporal", "load generator", "all"), rows)


def _peer(results: Results) -> list[str]:
    rows = [
        (
            store.replace("_", ", "),
            each["ours"]["lives_per_second"],
            each["dbos"]["lives_per_second"],
            each["dbos_without_http"]["lives_per_second"],
            each["ratio"],
            each["ratio_to_dbos_without_http"],
            f"{shown(each['ours']['command']['p50_ms'])} / {shown(each['dbos']['command']['p50_ms'])}",
        )
        for store, each in details(results, "peer").get("by_store", {}).items()
    ]
    head = (
        "store",
        "ours, lives a second",
        "DBOS, HTTP",
        "DBOS, no HTTP",
        "ratio",
        "ratio to no HTTP",
        "p50 ours / DBOS, ms",
    )
    return tabled(head, rows)


def _cost(results: Results) -> list[str]:
    names = ("events", "history_bytes", "runs", "actions", "sql_bytes")
    rows = [
        (story.replace("_", " "), *(each[name] for name in names), _counted(each["actions_by_kind"]))
        for story, each in details(results, "cost").get("by_story", {}).items()
    ]
    return tabled(("life", "events", "bytes of history", "runs", "actions", "bytes in SQL", "actions are"), rows)


def _counted(kinds: Results) -> str:
    return ", ".join(f"{shown(count)} {kind.replace('_', ' ')}" for kind, count in kinds.items())


def _herd(results: Results) -> list[str]:
    rows = []
    for size, each in _by_number(details(results, "herd").get("by_size", {})):
        for side in ("floor", "ours"):
            late = each[side]["recorded_late" if side == "ours" else "decided_late"]
            meanwhile = each[side]["commands_meanwhile"]
            rows.append(
                (
                    f"{size}, {side}",
                    f"{shown(late['p50_s'])} / {shown(late['p99_s'])} / {shown(late['max_s'])}",
                    each[side]["drain_seconds"],
                    each["drain_ratio"] if side == "ours" else "",
                    f"{shown(meanwhile['p50_ms'])} / {shown(meanwhile['p99_ms'])}",
                    meanwhile["failed"],
                    f"{each['ours']['duplicates']} / {each['ours']['missing']}" if side == "ours" else "",
                )
            )
    head = (
        "due at once",
        "late by, s: p50 / p99 / most",
        "drained after, s",
        "ratio",
        "commands meanwhile, ms: p50 / p99",
        "not answered",
        "twice / missing",
    )
    return tabled(head, rows)


def _restart(results: Results) -> list[str]:
    rows = [
        (
            size,
            each["first_command_s"],
            each["following_commands"]["p50_ms"],
            each["following_commands"]["p99_ms"],
            each["worker_mb_before"],
            each["worker_mb"],
            each["server_mb"],
        )
        for size, each in _by_number(details(results, "long").get("restart_by_open_cases", {}))
    ]
    head = ("open cases", "first answer, s", "then p50, ms", "p99", "worker before, MB", "after", "Temporal, MB")
    return tabled(head, rows)


def _long_case(results: Results) -> list[str]:
    life = details(results, "long").get("long_case")
    if not life:
        return []
    rows = {
        "commands": life["commands"],
        "runs (continue-as-new)": life["runs"],
        "p50 of the first tenth, ms": life["first_p50_ms"],
        "p50 of the last tenth, ms": life["last_p50_ms"],
        "last to first": life["last_to_first"],
        "slope, ms per 1,000 commands": life["slope_ms_per_1000"],
    }
    return tabled(("a case of many commands", ""), rows.items())


def _reads(results: Results) -> list[str]:
    stores = results.get("read_p99_ms", {})
    columns = [(store, size) for store, sizes in stores.items() for size in sorted(sizes, key=int)]
    if not columns:
        return []
    found = [stores[store][size] for store, size in columns]
    rows: list[tuple[object, ...]] = [
        ("*the slowest*", *(max(each.values()) for each in found)),
        ("*the one in the middle*", *(round(median(each.values()), 2) for each in found)),
        *((question, *(each.get(question, "") for each in found)) for question in _slowest(stores)),
    ]
    return tabled(("p99 of, ms", *(f"{store}, {shown(int(size))}" for store, size in columns)), rows)


def _slowest(stores: Results) -> list[str]:
    largest = (sizes[max(sizes, key=int)] for sizes in stores.values())
    return sorted({name for each in largest for name in sorted(each, key=each.__getitem__)[-_SLOWEST:]})


def _places(results: Results) -> list[str]:
    names = ("build_s", "index_mb_after_lookups", "lookups_per_s_warm", "bulk_per_s")
    rows = [
        (
            grids,
            *(each[name] for name in names),
            f"{shown(each['resolve_ms_p50'])} / {shown(each['resolve_ms_p99'])}",
            each["check_s"],
        )
        for grids, each in _by_number(details(results, "places").get("by_grids", {}))
    ]
    head = ("grids", "index made in, s", "its size, MB", "look-ups a second", "of many at once")
    return tabled((*head, "a report placed and routed, ms: p50 / p99", "whole map checked, s"), rows)


def growth(results: Results) -> dict[str, float]:
    """The exponent of everything that was measured at several sizes."""
    grown = details(results, "growth")
    found = {f"seconds for lives, {side}": k for side, k in grown.get("lives_exponent", {}).items()}
    found |= {f"{what.replace('_', ' ')}, by urges": k for what, k in grown.get("history_exponent", {}).items()}
    herd = details(results, "herd").get("drain_exponent", {})
    found |= {f"seconds to drain a herd, {side}": k for side, k in herd.items()}
    restart = details(results, "long").get("restart_exponent", {})
    found |= {f"{what.replace('_', ' ')} after a restart, by open cases": k for what, k in restart.items()}
    if "long_case" in details(results, "long"):
        found["seconds for the commands of one case"] = details(results, "long")["long_case"]["total_exponent"]
    return found | _growth_of_reads(results)


def _growth_of_reads(results: Results) -> dict[str, float]:
    found: dict[str, float] = {}
    for store, by_size in results.get("read_p99_ms", {}).items():
        if len(by_size) > 1:
            found |= {f"p99 of {_READS[which]}, {store}, by cases": k for which, k in growth_of(by_size).items()}
    return found


def _growth(results: Results) -> list[str]:
    return tabled(("what", "exponent"), sorted(growth(results).items()))


TABLES: dict[str, Callable[[Results], list[str]]] = {
    "machine": _machine,
    "summary": _summary,
    "floor": _floor,
    "cpu": _cpu,
    "peer": _peer,
    "cost": _cost,
    "herd": _herd,
    "restart": _restart,
    "long_case": _long_case,
    "reads": _reads,
    "places": _places,
    "growth": _growth,
}


#: Which table tells the same, and what the plot shows.
IMAGES = {
    "floor_plot": ("floor", "Lives a second and latency of a command, by how many are lived at once"),
    "peer_plot": ("peer", "Lives a second, ours and DBOS"),
    "herd_plot": ("herd", "Time to drain a herd, by its size"),
    "long_case_plot": ("long_case", "A command of a long case, by how many it has had"),
    "reads_plot": ("reads", "The slowest read, by the size of the table"),
}


def _by_number(found: Results) -> list[tuple[int, Any]]:
    return sorted((int(size), each) for size, each in found.items())
