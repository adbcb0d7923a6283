"""One heartbeat to the watcher outside: an empty request, which says by its coming that all is well."""

import httpx

from models import logs

log = logs.get(__name__)

TIMEOUT_S = 10.0


async def beat(url: str) -> bool:
    """Whether the watcher took it. Its address is a secret, and is in no log; where it leads is not followed.

    The answer is not read beyond its first line: it is of no use, and may be of any length.
    """
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, headers={"User-Agent": "thuiswacht"}) as answer,
        ):
            taken = answer.is_success
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("heartbeat_failed", why=type(error).__name__)
        return False
    if not taken:
        log.warning("heartbeat_failed", why=f"the watcher answered {status}")
    return taken
