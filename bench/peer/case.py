"""The same life on DBOS, written as its documentation recommends.

A workflow that receives commands, records what happened in a transaction that is one of its steps, and answers with an
event for each command: https://docs.dbos.dev/python/tutorials/workflow-communication and `transaction-tutorial`. It is
spared what ours does beside: clocks and the ladder, who may do what, notices, and the week that a closed case waits.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, AsyncSQLAlchemyDatasource, SetWorkflowID
from sqlalchemy import JSON, Column, DateTime, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite

COMMANDS = "commands"
#: A case waits for people.
_A_MONTH = 30 * 24 * 3600.0
#: What leads from which stage to which.
TABLE = {
    "accept": ("assignment", "rectification"),
    "submit": ("rectification", "reinspection"),
    "inspect": ("reinspection", "closure"),
}

metadata = MetaData()
cases = Table(
    "cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("snapshot", JSON, nullable=False),
)
events = Table(
    "events",
    metadata,
    Column("case_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)

State = dict[str, Any]


class Refused(Exception):
    """The case's stage forbids it."""


def opened(case_id: str, report: State) -> State:
    return {"id": case_id, "version": 1, "stage": "assignment", "lead_unit": "sanitation", **report}


def decide(case: State, command: str, body: State) -> State:
    before, after = TABLE[command]
    if case["stage"] != before:
        raise Refused(command)
    return {**case, "version": case["version"] + 1, "stage": after, command: body}


class CaseFile:
    """The workflow and the two tables it writes, on one datasource."""

    def __init__(self, datasource: AsyncSQLAlchemyDatasource) -> None:
        record = recording(datasource)

        @DBOS.workflow(name="case")
        async def live(report: State) -> str:
            case = opened(str(DBOS.workflow_id), report)
            await record(case, "opened", report)
            while case["stage"] != "closure":
                order = await DBOS.recv_async(COMMANDS, timeout_seconds=_A_MONTH)
                if order is None:
                    break
                try:
                    case = decide(case, order["command"], order["body"])
                except Refused:
                    await DBOS.set_event_async(order["key"], None)
                    continue
                await record(case, order["command"], order["body"])
                await DBOS.set_event_async(order["key"], case)
            return str(case["stage"])

        self._live = live

    async def open(self, key: str, report: State) -> State:
        """Durable when it returns; like ours, answered with what the case is about to be."""
        with SetWorkflowID(key):
            await DBOS.start_workflow_async(self._live, report)
        return opened(key, report)

    async def give(self, case_id: str, command: str, body: State, key: str) -> State:
        """Refused if the case refuses; otherwise the case as the command left it."""
        order = {"command": command, "body": body, "key": key}
        await DBOS.send_async(case_id, order, COMMANDS, idempotency_key=key)
        case: State | None = await DBOS.get_event_async(case_id, key)
        if case is None:
            raise Refused(command)
        return case


def recording(datasource: AsyncSQLAlchemyDatasource) -> Callable[[State, str, State], Awaitable[None]]:
    """A step that is one transaction: an event, the case's row, and DBOS's own checkpoint."""
    on_postgresql = datasource.engine.dialect.name == "postgresql"
    put = (postgresql.insert if on_postgresql else sqlite.insert)(cases)
    changed = {name: put.excluded[name] for name in ("stage", "version", "snapshot")}
    put_case = put.on_conflict_do_update(index_elements=["id"], set_=changed)

    @datasource.transaction(isolation_level="READ COMMITTED" if on_postgresql else "SERIALIZABLE")
    async def record(case: State, event: str, body: State) -> None:
        session = datasource.sql_session()
        row = {"case_id": case["id"], "seq": case["version"], "type": event, "at": datetime.now(UTC), "data": body}
        await session.execute(events.insert(), row)
        found = {"id": case["id"], "stage": case["stage"], "version": case["version"], "snapshot": case}
        await session.execute(put_case, found)

    return record
