"""What tests share: one real stack a worker, and for each test its own database and its own topics."""

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from alerting.engine.engine import warm_up
from simulators.stack import Stack
from simulators.stack.cache import cache_folder, exclusively
from simulators.stack.jars import JarsOutOfReach, ensure_jars
from simulators.stack.stack import say_to_stderr

PARTITIONS = 4
# Nothing here is asserted about seconds, so no example of hypothesis has a deadline either.
hypothesis.settings.register_profile("thuiswacht", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("thuiswacht")
TEST_BY_TEST = ("tests/integration/access/test_matrix.py",)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, for tests also wait; four at most, for each has its own stack."""
    return min(len(os.sched_getaffinity(0)) + 1, 4)


class Spread(LoadFileScheduling):
    """Tests of a file go to the same worker, but where each takes long and makes a world of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(TEST_BY_TEST) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    """Who gives the workers their tests."""
    return Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers take the files that need long first, so that none is left with one at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        limits = dict.fromkeys((item.path for item in items), 0.0)
        for item in items:
            limits[item.path] = max(limits[item.path], _own_time_limit_s(item))
        items.sort(key=lambda item: -limits[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka and compile the kernels before the first test, whose time limit is not meant for that."""
    wanted = any("stack" in item.fixturenames for item in session.items if isinstance(item, pytest.Function))
    if wanted and not session.config.option.collectonly:
        # Out of reach: the tests that need it will fail, and say so; the others need not wait.
        with suppress(JarsOutOfReach):
            ensure_jars(cache_folder(), say_to_stderr)
        # The services that tests start find them in the cache; several would compile the same at once, as
        # would the workers of this run.
        with exclusively(cache_folder() / "compiling.lock"):
            warm_up()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Real Postgres and Apache Kafka, started for the first test that asks; without Kafka, tests fail."""
    with Stack(fsync=False, allow_in_memory=False) as running:
        yield running


@pytest.fixture(scope="session")
def template_database(stack: Stack) -> str:
    """The name of a migrated trial database from which those of the tests are copied."""
    from models.db.migrate import migrate

    name = "template_of_tests"
    _execute(stack, f"CREATE DATABASE {name}")
    _run(migrate(_dsn_of(stack, name), purpose="trial"))
    return name


@pytest.fixture
def database(stack: Stack, template_database: str) -> Iterator[str]:
    """The DSN of an own, migrated trial database, as the superuser."""
    # Copied as files: through the log of Postgres it would take three times as long.
    yield from _own_database(stack, f"TEMPLATE {template_database} STRATEGY FILE_COPY")


@pytest.fixture
def empty_database(stack: Stack) -> Iterator[str]:
    """The DSN of an own database without any migration, as the superuser."""
    yield from _own_database(stack, "")


@pytest.fixture
def make_topic(stack: Stack) -> Callable[..., str]:
    """Makes topics with names of their own: `make_topic()`, `make_topic(partitions=1)`."""

    def make(partitions: int = PARTITIONS, suffix: str = "") -> str:
        name = f"thuiswacht.test.{uuid.uuid4().hex}{suffix}"
        _run(_create_topic(stack.kafka, name, partitions))
        return name

    return make


@pytest.fixture
def topic(make_topic: Callable[..., str]) -> str:
    """The name of an own topic with four partitions."""
    return make_topic()


def _own_time_limit_s(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return 0.0 if marker is None else float(marker.args[0])


def _own_database(stack: Stack, options: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _execute(stack, f"CREATE DATABASE {name} {options}")
    yield _dsn_of(stack, name)
    # FORCE: a test that fails may leave connections behind.
    _execute(stack, f"DROP DATABASE {name} WITH (FORCE)")


def _dsn_of(stack: Stack, database: str) -> str:
    return urlunsplit(urlsplit(stack.postgres_dsn)._replace(path=f"/{database}"))


def _execute(stack: Stack, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(stack.postgres_dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    _run(execute())


async def _create_topic(bootstrap: str, name: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        created: Any = await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()
    assert all(error[1] == 0 for error in created.topic_errors), created


def _run(work: Coroutine[Any, Any, object]) -> None:
    """In a loop and a thread of its own, so that fixtures and tests never share a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
