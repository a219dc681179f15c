"""A disk without room: reads go on, writes are refused and none that was answered is lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.outside import Citizen, Demo, ask, descendants, eventually

pytestmark = pytest.mark.slow
VAR_MB, TEMPORARY_MB = 128, 8
UPLOAD = 300_000


class SmallDemo(Demo):
    """The demo with a temporary folder of its own, telling as much as it can in its logs."""

    def __init__(self, var: Path, temporary: Path) -> None:
        super().__init__(var)
        self.temporary = temporary

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TMPDIR": str(self.temporary), "KEPU_LOG_LEVEL": "DEBUG"}

    def processes(self, words: bytes) -> list[int]:
        found = []
        for pid in descendants(self.pid):
            # A process may end between the list and this look at it.
            with suppress(FileNotFoundError, ProcessLookupError):
                if words in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def workers(self) -> set[int]:
        """The processes that answer requests: children of gunicorn's master."""
        servers = self.processes(b"gunicorn")
        return {pid for pid in servers if parent(pid) in servers}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def mount(folder: Path, megabytes: int) -> None:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "kepu-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip(
            "NOT TESTED on a full disk: only root may mount a small one; see the limit's case"
        )


@pytest.fixture(scope="module")
def on_small_disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDemo]:
    folder = tmp_path_factory.mktemp("disks")
    disks = (folder / "var", VAR_MB), (folder / "tmp", TEMPORARY_MB)
    try:
        for disk, megabytes in disks:
            mount(disk, megabytes)
        made = SmallDemo(folder / "var", folder / "tmp")
        made.start()
        yield made
        assert made.stop() == 0
    finally:
        for disk, _ in disks:
            subprocess.run(["umount", "-l", str(disk)], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDemo]:
    """For who may mount nothing: the kernel refuses each write into a file."""
    folder = tmp_path_factory.mktemp("limited")
    (folder / "tmp").mkdir()
    made = SmallDemo(folder / "var", folder / "tmp")
    made.start()
    yield made
    assert made.stop() == 0


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            for size in (1 << 20, 1 << 12, 1):
                while True:
                    try:
                        file.write(b"\0" * size)
                    except OSError:
                        break
            yield
        finally:
            filler.unlink()


@contextmanager
def no_writing(demo: SmallDemo) -> Iterator[None]:
    pids = demo.processes(b"gunicorn") + demo.processes(b"server\0worker")
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def somebody(demo: Demo) -> Citizen:
    one = Citizen.born(demo, "满")
    one.log_in()
    one.agree()
    return one


def contest_of(demo: Demo) -> str:
    return str(demo.api("GET", "/contests").body["items"][0]["id"])


def reads_work(one: Citizen, contest: str) -> None:
    for _ in range(30):
        for path in ("/campaign", f"/contests/{contest}/leaderboard", "/me"):
            answer = one.api("GET", path)
            assert answer.status == 200, answer
    assert ask("GET", f"{one.demo.server}/metrics").status == 200
    assert ask("GET", f"{one.demo.server}/healthz").status == 200


def upload(one: Citizen) -> int:
    """Status of the answer to a picture that is none: 422 when it was received, 503 when not."""
    form = b"--b\r\nContent-Disposition: form-data; name=a; filename=a.jpg\r\n\r\n"
    request = urllib.request.Request(
        f"{one.demo.server}/api/v1/me/avatar",
        data=form + b"x" * UPLOAD + b"\r\n--b--\r\n",
        headers={
            "Authorization": f"Bearer {one.token}",
            "Content-Type": "multipart/form-data; boundary=b",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=60)
    with refusal.value:
        return refusal.value.code


def writes_are_refused_and_none_is_lost(
    demo: SmallDemo, full: Callable[[], AbstractContextManager[None]]
) -> None:
    one, contest = somebody(demo), contest_of(demo)
    paper = one.api("POST", f"/contests/{contest}/attempts").body
    answers = f"/attempts/{paper['id']}/answers"
    chosen = {q["id"]: [q["options"][0]["key"]] for q in paper["questions"]}
    acknowledged: dict[str, Any] = {}
    for question, keys in list(chosen.items())[:3]:
        assert one.api("PUT", answers, {"answers": {question: keys}}).status == 204
        acknowledged[question] = keys
    workers = demo.workers()
    refused = 0
    with full():
        # What the database still has room for is written; then it says so.
        for question, keys in list(chosen.items()) * 200:
            status = one.api("PUT", answers, {"answers": {question: keys}}).status
            assert status in (204, 503)
            if status == 204:
                acknowledged[question] = keys
            refused += status == 503
            if refused == 20:
                break
        assert refused == 20
        reads_work(one, contest)
        assert one.api("GET", f"/attempts/{paper['id']}").body["answers"] == acknowledged
    assert demo.workers() == workers
    eventually(
        lambda: one.api("PUT", answers, {"answers": chosen}).status == 204, "it does not recover"
    )
    assert one.api("GET", f"/attempts/{paper['id']}").body["answers"] == chosen
    assert one.api("POST", f"/attempts/{paper['id']}/submission", {}).status == 200


def test_a_full_temporary_disk_kills_nobody(on_small_disks: SmallDemo) -> None:
    demo = on_small_disks
    one, contest = somebody(demo), contest_of(demo)
    workers = demo.workers()
    with filled(demo.temporary):
        reads_work(one, contest)
        assert one.api("PUT", "/me", {"nickname": "满盘"}).status == 200
        assert upload(one) == 503
        assert demo.workers() == workers
        os.kill(min(workers), signal.SIGKILL)
        eventually(lambda: len(demo.workers() - {min(workers)}) == len(workers), "nobody came")
        reads_work(one, contest)
    assert upload(one) == 422


def test_a_full_data_disk_refuses_writes_and_loses_none(on_small_disks: SmallDemo) -> None:
    demo = on_small_disks
    writes_are_refused_and_none_is_lost(demo, lambda: filled(demo.var))
    assert shutil.disk_usage(demo.var).free > 0


def test_where_no_file_can_be_written_writes_are_refused_and_none_is_lost(
    limited: SmallDemo,
) -> None:
    writes_are_refused_and_none_is_lost(limited, lambda: no_writing(limited))
    one = somebody(limited)
    with no_writing(limited):
        assert upload(one) == 503
    assert upload(one) == 422


def test_at_debug_no_log_tells_an_address_as_it_was_asked(limited: SmallDemo) -> None:
    canary = "canary-of-the-address"
    for path in (f"/api/v1/{canary}", f"/api/v1/me?x={canary}", f"/pictures/{canary}.jpg"):
        ask("GET", limited.server + path)
    ask("POST", f"{limited.server}/wechat/official/callback?signature={canary}")
    told = limited.console() + "".join(
        file.read_text("utf-8", "replace")
        for file in (limited.var / "log").glob("*.log")
        if "emulator" not in file.name
    )
    assert '"status":404' in told
    assert canary not in told


def test_all_that_the_demo_writes_is_for_its_owner_alone(limited: SmallDemo) -> None:
    open_to_others = [
        path
        for path in (limited.var, *limited.var.rglob("*"))
        if path.name != "console.txt" and not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
