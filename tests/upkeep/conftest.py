from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import WorkflowEnvironment

from tests.support.office import Office, opened


@pytest.fixture
async def office(temporal: WorkflowEnvironment, engine: AsyncEngine) -> AsyncIterator[Office]:
    async with opened(temporal, engine) as office:
        yield office


@pytest.fixture
async def impatient_office(impatient_temporal: WorkflowEnvironment, engine: AsyncEngine) -> AsyncIterator[Office]:
    """Its cases continue as new after a few dozen commands."""
    async with opened(impatient_temporal, engine) as office:
        yield office
