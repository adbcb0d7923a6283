"""Systems from before they had several keys go on with the one that they had."""

import asyncpg
import pytest

from ingest.delivery.clients import registry
from models.db import migrate as migrating
from models.db.clients import KeyKind
from models.db.installation import migration_files
from models.db.pool import connect
from tests.integration.delivery.asking import ask
from tests.integration.delivery.gates import gate
from tests.integration.delivery.homes import OURS, make_organisations
from tests.unit.login.signing import ec


async def test_systems_keep_their_key(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [file for file in migration_files() if file[0] < 32]
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "migration_files", lambda: before)
        await migrating.migrate(empty_database, purpose="trial")
    admin = await asyncpg.connect(empty_database)
    await make_organisations(admin)
    for client_id, removed in (("vendor-a", None), ("vendor-b", "now()")):
        person = await admin.fetchval(
            "INSERT INTO person (person_id, name, is_system) VALUES (gen_random_uuid(), 'x', true) "
            "RETURNING person_id"
        )
        await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'service')", person, OURS)
        await admin.execute(
            "INSERT INTO client (client_id, person_id, organisation_id, public_key, added_at, removed_at) "
            f"VALUES ($1, $2, $3, $4, now() - interval '1 day', {removed or 'NULL'})",
            client_id, person, OURS, ec().as_pem(private=False).decode(),
        )  # fmt: skip
    await migrating.migrate(empty_database, purpose="trial")
    login = await connect(empty_database, role="thuiswacht_login", application="test", max_size=1)
    found = await registry.list_clients(login)
    assert [(one.client_id, one.keys[0].kind, one.revoked_us is None) for one in found] == [
        ("vendor-a", KeyKind.PUBLIC_KEY, True),
        ("vendor-b", KeyKind.PUBLIC_KEY, False),
    ]
    async with gate(empty_database) as made:
        assert (await ask(made, "vendor-a", ec())).status_code == 200
        assert (await ask(made, "vendor-b", ec())).status_code == 401
    await login.close()
    await admin.close()
