# SPDX-License-Identifier: Apache-2.0
"""The files of a watch room whose people are woken up by a pager on this machine (`wideberth.drill.hooks`).

with Hooks() as hooks:
    furnish(node, hooks)                        # roster.toml and desk.toml of SC2: W1 on shift, W2 behind, S1 above
    until(lambda: hooks.woken("W1"), "W1 is woken up")
"""

from __future__ import annotations

from tests.e2e.nodes import NodeProcess
from wideberth.drill.hooks import Hooks as Hooks

ROSTER = """
[[people]]
name = "W1"
role = "WATCH_OFFICER"
post = "watch-1"
pages = ["{url}/W1", "tel:+999 555 0101"]

[[people]]
name = "W2"
role = "WATCH_OFFICER"
pages = ["{url}/W2"]

[[people]]
name = "S1"
role = "SUPERVISOR"
post = "supervisor"
pages = ["{url}/S1"]

[[people]]
name = "L1"
role = "LINGUIST"
pages = ["{url}/L1"]

[[shifts]]
person = "W1"
start = 2029-12-31T00:00:00Z
end = 2030-01-03T00:00:00Z

[[shifts]]
person = "W2"
start = 2029-12-31T00:00:00Z
end = 2030-01-03T00:00:00Z
backup = true
"""


def furnish(node: NodeProcess, hooks: Hooks, *outside: str) -> None:
    """The node's room, as its people would write it: it reads both files by itself."""
    kinds = ", ".join(f'"{kind}"' for kind in outside or ("line",))
    (node.folder / "desk.toml").write_text(f"wake = true\noutside = [{kinds}]\n")
    (node.folder / "roster.toml").write_text(ROSTER.format(url=hooks.url))
