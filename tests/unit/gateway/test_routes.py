"""A route without a declared policy does not start, wherever it hides."""

import pytest
from fastapi import APIRouter, FastAPI

from ingest.gateway.routes import Routes, require_policies
from models.access import Action
from models.audit import Kind
from models.errors import RefuseToStart


async def nothing() -> None:
    """Answers nothing."""


def test_a_guarded_route_and_a_public_one_start() -> None:
    routes = Routes("/patients", "test")
    routes.route("GET", "/{patient_id}", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")(
        nothing
    )
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(routes.router)
    app.add_api_route("/login", nothing)
    require_policies(app, public=["/login"])


@pytest.mark.parametrize("included", [False, True])
def test_a_route_without_policy_is_refused(included: bool) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter()
    (router if included else app).add_api_route("/patients/everybody", nothing)
    if included:
        app.include_router(router)
    with pytest.raises(RefuseToStart, match="/patients/everybody has no declared policy"):
        require_policies(app, public=["/login"])


def test_a_policy_about_a_patient_who_is_not_in_the_address_is_refused() -> None:
    with pytest.raises(RefuseToStart, match="for its policy to decide on"):
        Routes("/patients", "test").route(
            "GET", "/all", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id"
        )
