"""For each operation of the OpenAPI document: how it is aimed at something foreign, and what must come of it.

A new route without an entry fails `test_access.py`: whoever adds one has to say here what is foreign to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from domain.lifecycle import TABLE
from tests.security.world import KNOWN, NEW, PASSWORD, RECORDS, World, gone
from tests.support.photos import photo
from tests.support.stack import FAR, Json, report

HIDDEN, FORBIDDEN, FINE, PUBLIC = "hidden", "forbidden", "fine", "public"


@dataclass(frozen=True)
class Probe:
    """`hidden`: 404 as if it were not there. `forbidden`: 403. `fine`: answered without anything foreign in it.

    `public`: asks for no token. `fill` gives the parts of the request, given the world; `absent` is the same for what
    does not exist, where the two answers must be equal. `read_by_all`: forbidden, but not to an administrator of
    another district.
    """

    expect: str
    fill: Callable[[World], Json] = lambda _world: {}
    absent: Callable[[World], Json] | None = None
    endless: bool = False
    read_by_all: bool = False


#: Bodies that are sound, so that it is the caller who is refused and not what he says.
BODIES: Mapping[str, Json] = {
    "verify": {},
    "dismiss": {"reason": "不属实"},
    "assign": {"unit": "roads"},
    "accept": {},
    "return": {"reason": "非本单位职责"},
    "submit": {"note": "已清运"},
    "request-extension": {"reason": "雨天"},
    "decide-extension": {"grant": True, "reason": "同意"},
    "suspend": {"reason": "冬季", "until": "2027-03-01"},
    "resume": {},
    "inspect": {"result": "pass", "note": "合格"},
    "urge": {"note": "请尽快"},
    "supervise": {"requirement": "限期"},
    "withdraw": {"reason": "重复"},
    "force-close": {"reason": "拆迁"},
    "rate": {"score": 5},
    "appeal": {"reason": "天气"},
    "decide-appeal": {"grant": True, "reason": "同意"},
    "reopen": {"reason": "复发"},
    "comment": {"text": "看看"},
    "join": {"description": "我也看到了"},
    "submit-plan": {"text": "先围挡后修复"},
    "decide-plan": {"grant": True, "reason": "同意"},
}
#: A number that is sound and nobody's.
NOBODYS = "RC-0000-0000-0000"


def _of_case(body: Json | None = None) -> Probe:
    sent = {} if body is None else {"json": body}
    return Probe(
        HIDDEN,
        lambda world: {"path": {"case_id": world.case["id"]}, **sent},
        lambda _world: {"path": {"case_id": NOBODYS}, **sent},
    )


def _list(**params: Any) -> Probe:  # noqa: ANN401 - any parameter
    return Probe(FINE, lambda _world: {"params": {**params, "limit": 100}})


def _cases(world: World) -> Json:
    return {"params": {"q": world.case["external_ref"], "area": world.case["area"], "limit": 100}}


def _commands() -> dict[str, Probe]:
    return {f"{rule.command.name.replace('-', '_')}_case": _of_case(BODIES[rule.command.name]) for rule in TABLE}


#: Sound, so that it is the caller who is refused.
CALENDAR = {
    "id": "theirs",
    "version": 1,
    "zone": "Asia/Shanghai",
    "official_through": "2026-12-31",
    "seasons": [{"weekdays": {"mon-fri": ["08:00-12:00"]}}],
}
OFFICIAL = {"path": {"calendar_id": "theirs"}, "json": {"year": 2027, "holidays": ["2027-01-01"]}}


def _always(parts: Json) -> Callable[[World], Json]:
    return lambda _world: parts


def _directory() -> dict[str, Probe]:
    """Some may read it; administrators change it, each in his own part of the city."""
    found = {"get_directory": Probe(FINE), "list_directory_changes": Probe(FINE)}
    for kind, (part, there, body) in RECORDS.items():
        found[f"list_{part}"] = _list()
        found[f"get_{kind}"] = Probe(FINE, _always({"path": {"record_id": there}}))
        new = {"path": {"record_id": "nobodys"}, "json": body, "headers": NEW}
        found[f"put_{kind}"] = Probe(FORBIDDEN, _always(new))
        found[f"retire_{kind}"] = Probe(FORBIDDEN, partial(_seen, there))
        found[f"restore_{kind}"] = Probe(FORBIDDEN, partial(_seen, gone(kind)))
    return found


def _seen(record: str, world: World) -> Json:
    return {"path": {"record_id": record}, "headers": {"If-Match": world.tags[record]}}


CHANNEL = {"url": "json://127.0.0.1:9/x", "audience": "unit"}
PROBES: Mapping[str, Probe] = {
    "healthz": Probe(PUBLIC),
    "readyz": Probe(PUBLIC),
    "metrics": Probe(PUBLIC),
    "open_case": Probe(FINE, lambda _world: {"json": report(location=FAR, description="别的问题", source="nobody")}),
    "list_cases": Probe(FINE, _cases),
    "get_case": _of_case(),
    "get_case_events": _of_case(),
    "get_case_deadline": _of_case(),
    "get_case_notices": _of_case(),
    **_commands(),
    "merge_case": _of_case({"into": NOBODYS}),
    "list_notices": _list(),
    "list_tasks": _list(),
    "list_overdue": Probe(FINE, lambda world: {"params": {"area": world.case["area"], "group_by": "area"}}),
    "upload_evidence": Probe(FINE, lambda _world: {"files": {"file": ("p", photo(90211), "image/jpeg")}}),
    "get_evidence": Probe(
        HIDDEN,
        lambda world: {"path": {"sha256": world.photo}},
        lambda _world: {"path": {"sha256": "0" * 64}},
    ),
    "list_events": _list(after=0),
    "stream_events": Probe(FINE, lambda _world: {"params": {"after": 0}}, endless=True),
    "get_catalogue": Probe(FINE),
    "list_editions": Probe(FINE),
    "explain_routing": Probe(FINE, lambda _world: {"params": {"category": "E0110", **FAR}}),
    **_directory(),
    "import_directory": Probe(FORBIDDEN, lambda _world: {"files": {"file": ("a.csv", b"id\n", "text/csv")}}),
    "export_directory": Probe(FORBIDDEN),
    "get_template": Probe(FORBIDDEN),
    "list_channels": Probe(FORBIDDEN),
    "put_channel": Probe(FORBIDDEN, lambda _world: {"path": {"channel_id": "theirs"}, "json": CHANNEL}),
    "remove_channel": Probe(FORBIDDEN, lambda _world: {"path": {"channel_id": "theirs"}}),
    "sign_in": Probe(PUBLIC, lambda _world: {"json": {"login": KNOWN, "password": PASSWORD}}),
    "sign_out": Probe(FINE),
    "change_password": Probe(FINE, lambda _world: {"json": {"old": "one that is not theirs", "new": PASSWORD}}),
    "get_me": Probe(FINE),
    "list_calendars": Probe(FORBIDDEN, read_by_all=True),
    "get_calendar": Probe(FORBIDDEN, lambda _world: {"path": {"calendar_id": "theirs"}}, read_by_all=True),
    "preview_calendar": Probe(FORBIDDEN, lambda _world: {"json": CALENDAR}),
    "publish_calendar": Probe(FORBIDDEN, lambda _world: {"json": CALENDAR}),
    "preview_official_year": Probe(FORBIDDEN, lambda _world: OFFICIAL),
    "make_year_official": Probe(FORBIDDEN, lambda _world: OFFICIAL),
    "list_policies": Probe(FORBIDDEN, read_by_all=True),
    "preview_policy": Probe(FORBIDDEN, lambda _world: {"json": {"ladder": {}}}),
    "publish_policy": Probe(FORBIDDEN, lambda _world: {"json": {"ladder": {}}}),
    "list_publications": Probe(FORBIDDEN, read_by_all=True),
    "get_publication": Probe(FORBIDDEN, lambda _world: {"path": {"publication_id": 1}}, read_by_all=True),
    "advance_case": Probe(
        HIDDEN,
        lambda world: {"json": {"case": world.case["id"], "by": "P1D"}},
        lambda _world: {"json": {"case": NOBODYS, "by": "P1D"}},
    ),
}
#: Operations that are there only with a key ring or a provider, which this stack has not: the tests that try them.
APART: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("decode_payloads", "encode_payloads"),
        (
            "tests/encryption/test_endpoint.py::TestDecoding::test_is_for_nobody_else",
            "tests/encryption/test_endpoint.py::TestDecoding::test_is_not_for_the_admin_of_a_district",
            "tests/encryption/test_endpoint.py::TestDecoding::test_wants_a_token",
        ),
    ),
    "begin_oidc": ("tests/api/test_sign_in_oidc.py::TestABrowser", "tests/api/test_sign_in_oidc.py::TestReturning"),
    "finish_oidc": ("tests/api/test_sign_in_oidc.py::TestReturning", "tests/api/test_sign_in_oidc.py::TestLinking"),
    "end_oidc": ("tests/api/test_sign_in_oidc.py::TestTheCode",),
}


@dataclass(frozen=True)
class Route:
    """One operation of the document."""

    name: str
    method: str
    path: str
    secured: bool = field(default=True)

    def request(self, parts: Json) -> tuple[str, str, Json]:
        """Method, path and the rest of a request."""
        rest = dict(parts)
        return self.method, self.path.format(**rest.pop("path", {})), rest


def routes(document: Json) -> list[Route]:
    return [
        Route(each["operationId"], method.upper(), path, "security" in each)
        for path, ways in document["paths"].items()
        for method, each in ways.items()
    ]
