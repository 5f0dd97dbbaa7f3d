"""axe-core, the checker of accessibility, in a page that is open. It comes from npm, and never into this repository."""

from functools import cache
from typing import Any

from livelift.local.npm import Package, unpacked

AXE = Package(
    "axe-core", "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
)  # fmt: skip
SERIOUS = {"serious", "critical"}


@cache
def _source() -> str:
    return (unpacked(AXE) / "axe.min.js").read_text()


def serious(page: Any) -> list[str]:
    """What stands in the way of somebody: each rule that is broken, with the elements that break it.

    page: Playwright's. Evaluated from outside, so that the page's own Content-Security-Policy may forbid scripts.
    """
    page.evaluate(_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "axe has looked at nothing"
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {', '.join(str(node['target']) for node in one['nodes'])}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]
