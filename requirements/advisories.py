"""Known faults of what is locked: `make advisories` asks the package index, `make check` compares without a network.

The index is the one that pip is set up with; its JSON interface (`/pypi/NAME/VERSION/json`, else `/pypi/NAME/json` if
the locked version is the latest) names the faults that the Python Packaging Advisory Database knows. What the index did
not answer for keeps its earlier answer, or is written down as unknown, which is said at every check. Run as a program;
knows nothing of rectify.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIST = HERE / "advisories.json"
LOCKS = (HERE / "runtime.lock", HERE / "dev.lock")
#: After as many days the check says that the list is old. It does not fail: no build turns red by time alone.
OLD_AFTER = 30
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_SECONDS = 30


@dataclass(frozen=True)
class Entry:
    """`faults`: ids of those that hold for this version; None where the index did not say. `yanked`: why, if it is."""

    name: str
    version: str
    faults: list[str] | None
    yanked: str | None
    licence: str


def locked(*locks: Path) -> list[tuple[str, str]]:
    """Names in their normal form, and versions."""
    found = {(normal(name), version) for lock in locks for name, version in _LOCKED.findall(lock.read_text("utf-8"))}
    return sorted(found)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- asking ---


def renew() -> int:
    base = _index()
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = pool.map(lambda each: _asked(base, *each), locked(*LOCKS))
        entries = [remembered(each, _listed(LIST)) for each in answers]
    listed = {"asked_on": datetime.now(UTC).date().isoformat(), "packages": [asdict(each) for each in entries]}
    LIST.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return check()


def remembered(answer: Entry, before: dict[tuple[str, str], Entry]) -> Entry:
    """Where the index says nothing this time, what it said of this very version before."""
    return answer if answer.faults is not None else before.get((answer.name, answer.version), answer)


def _index() -> str:
    """Where pip looks, without `/simple`."""
    told = os.environ.get("PIP_INDEX_URL") or _configured()
    if not told:
        from pip._internal.models.index import PyPI

        told = PyPI.simple_url
    return told.rstrip("/").removesuffix("/simple")


def _configured() -> str:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout.strip()  # noqa: S603 - our own


def _asked(base: str, name: str, version: str) -> Entry:
    exact = _json(f"{base}/pypi/{name}/{version}/json")
    about = exact or _json(f"{base}/pypi/{name}/json") or {}
    info = about.get("info", {})
    speaks = "vulnerabilities" in about and info.get("version") == version
    faults = sorted(each["id"] for each in about["vulnerabilities"] if not each.get("withdrawn")) if speaks else None
    files = about.get("urls", []) if exact else about.get("releases", {}).get(version, [])
    yanked = next((each.get("yanked_reason") or "yanked" for each in files if each.get("yanked")), None)
    return Entry(name, version, faults, yanked, _licence(info))


def _licence(info: dict[str, Any]) -> str:
    """The expression, or the first line of what was written before there were expressions, or the classifiers."""
    classified = [each.split(" :: ")[-1] for each in info.get("classifiers") or () if each.startswith("License ::")]
    free = (info.get("license") or "").strip().partition("\n")[0][:80]
    return info.get("license_expression") or "; ".join(classified) or free


def _json(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the index of pip
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError):
        return None


# --- comparing ---


def check(today: date | None = None, path: Path = LIST, locks: tuple[Path, ...] = LOCKS) -> int:
    """0, or 1 for a known fault, a withdrawn release or a locked version that nobody has asked about."""
    listed, known = json.loads(path.read_text("utf-8")), _listed(path)
    problems = [_problem(known.get(each), *each) for each in locked(*locks)]
    wrong = [each for each in problems if each]
    for each in wrong:
        print(each, file=sys.stderr)
    unknown = sorted(entry.name for entry in known.values() if entry.faults is None)
    if unknown:
        print(f"未知 the index did not say of: {', '.join(unknown)}", file=sys.stderr)
    age = ((today or datetime.now(UTC).date()) - date.fromisoformat(listed["asked_on"])).days
    if age > OLD_AFTER:
        print(f"漏洞清单已有 {age} 天,请运行 make advisories。 the list is {age} days old", file=sys.stderr)
    return 1 if wrong else 0


def _listed(path: Path) -> dict[tuple[str, str], Entry]:
    packages = json.loads(path.read_text("utf-8"))["packages"]
    return {(each["name"], each["version"]): Entry(**each) for each in packages}


def _problem(entry: Entry | None, name: str, version: str) -> str | None:
    if entry is None:
        return f"{name}=={version}: 不在漏洞清单中,请运行 make advisories。 nobody has asked about it: make advisories"
    if entry.faults:
        return f"{name}=={version}: 已知漏洞 known faults {', '.join(entry.faults)}"
    return f"{name}=={version}: 已撤回 yanked: {entry.yanked}" if entry.yanked else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("check", "renew"))
    sys.exit(check() if parser.parse_args().what == "check" else renew())


if __name__ == "__main__":
    main()
