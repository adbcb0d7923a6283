"""Whether people who see, hear or move otherwise can use a page: what axe finds of it."""

from typing import Any, cast

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

NOT_BORNE = frozenset({"serious", "critical"})


async def require_accessible(page: Page) -> None:
    """Fails for anything that axe calls serious or critical on the page as it stands."""
    found = await Axe().run(page)
    # The package says nothing of its types.
    violations = cast("list[dict[str, Any]]", found.response["violations"])
    said = [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in violations
        if one["impact"] in NOT_BORNE
    ]
    assert said == [], said
