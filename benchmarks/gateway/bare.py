"""What the same server does at best: `python -m benchmarks.gateway.bare PORT` reads the body and answers.

One process, the same server, loop and framework as the gate, and none of its work: no caller, no look at the
body, no database, no log.
"""

import sys

import uvicorn
from fastapi import FastAPI, Request, Response

PATHS = ("/v1/uploads", "/fhir", "/fhir/Observation")


def make_app() -> FastAPI:
    """Routes that read the whole body."""
    app = FastAPI(openapi_url=None)

    async def read(request: Request) -> Response:
        await request.body()
        return Response(b'{"result": "accepted"}', 202, media_type="application/json")

    for path in PATHS:
        app.add_api_route(path, read, methods=["POST"])
    return app


def main() -> None:
    """Until it is told to end."""
    uvicorn.run(
        make_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
