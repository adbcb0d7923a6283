"""The pools of the services by the services' names: here each is there with the others."""

import pytest

from models.db.pool import Pool


@pytest.fixture
def ingest(storing_pool: Pool) -> Pool:
    """What the ingest worker may do."""
    return storing_pool


@pytest.fixture
def alerting(pool: Pool) -> Pool:
    """What the alerting worker may do."""
    return pool
