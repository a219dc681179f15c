"""Which file of tests a process takes next: half of the processes prefer those that wait.

Tests of whole processes and of the browser mostly wait, all others compute. Several processes that
wait leave the cores idle, several that compute wait for each other; so both kinds run side by side.
"""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler.loadfile import LoadFileScheduling

# Files whose tests wait for processes, browsers and deadlines.
WAITING = re.compile(
    r"tests/(e2e/|bench/|phone/test_chromium|[a-z]+/test_\w*browser"
    r"|console/test_every_page"
    r"|base/test_(drain|patience|gunicorn_worker))"
)
# Files that share one running demo (SHARES_DEMO): one process takes them all, and starts one.
ONE_DEMO = "tests/e2e/ with one demo"
SHARING = {
    f"tests/e2e/test_{name}.py"
    for name in (
        *("checkin", "journey_channel", "journey_citizen", "journey_gate", "lectures"),
        *("mini_program", "pages_need", "rush", "ways_in"),
    )
}
# Files that take longest, of either kind; they start first, or one of them would end alone.
LONGEST = (
    "console/test_every_page", "docs/", "e2e/test_ways", "e2e/test_bad", "e2e/test_walk", "bench/",
    "console/test_hostile", "signups/test_killed",
    "e2e/", "miniprogram/", "phone/", "console/test_matrix", "base/test_drain",
    "demo/", "cli/", "quiz/test_boards", "house/", "base/", "organizers/", "quiz/",
)  # fmt: skip


def waits_mostly(file: str) -> bool:
    """Whether the tests of this file mostly wait for other processes."""
    return WAITING.match(file) is not None


def rank_file(file: str) -> int:
    """The place of a file in the order of a run, the longest first."""
    inside = file.removeprefix("tests/")
    return next((at for at, start in enumerate(LONGEST) if inside.startswith(start)), len(LONGEST))


class MixedScheduling(LoadFileScheduling):
    """Hands out whole files; every other process prefers those that wait."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return ONE_DEMO if file in SHARING else file

    def _assign_work_unit(self, node: Any) -> None:
        preferred = int(node.gateway.id.removeprefix("gw")) % 2 == 0
        for file in self.workqueue:
            if waits_mostly(file) is preferred:
                self.workqueue.move_to_end(file, last=False)
                break
        super()._assign_work_unit(node)
