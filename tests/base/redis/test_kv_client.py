"""The client: replies on both engines, threads, forks, and what happens when Redis is away."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from server.base.clock import Clock
from server.base.redis.client import (
    Command,
    RedisClient,
    RedisRefused,
    RedisUnavailable,
    Script,
    create_client,
)
from server.base.redis.embedded import EmbeddedServer


class Stepped(Clock, Protocol):
    def pass_by(self, seconds: float) -> None: ...


DOUBLE = Script("return {KEYS[1], ARGV[1] * 2}")


def test_bytes_go_in_and_come_out(kv: RedisClient) -> None:
    raw = bytes(range(256))
    assert kv.run_command("SET", "raw", raw) == b"OK"
    assert kv.run_command("GET", "raw") == raw
    assert kv.run_command("GET", "nothing") is None
    assert kv.run_command("INCRBY", "n", 7) == 7


def test_a_pipeline_gives_its_replies_in_order(kv: RedisClient) -> None:
    replies = kv.run_pipeline([("SET", "a", "1"), ("INCR", "a"), ("GET", "a"), ("GET", "b")])
    assert replies == [b"OK", 2, b"2", None]
    assert kv.run_pipeline([]) == []


def test_a_script_runs_whether_redis_knows_it_or_not(kv: RedisClient) -> None:
    kv.run_command("SCRIPT", "FLUSH")
    assert kv.run_script(DOUBLE, ["k"], [21]) == [b"k", 42]
    assert kv.run_script(DOUBLE, ["k"], [4]) == [b"k", 8]


def test_a_wrong_command_is_a_mistake_and_not_an_absence(kv: RedisClient) -> None:
    kv.run_command("SET", "text", "x")
    with pytest.raises(RedisRefused):
        kv.run_command("LPUSH", "text", "y")
    with pytest.raises(RedisRefused):
        kv.run_command("SET", "text", object())  # type: ignore[arg-type]
    assert kv.failures == 0
    assert kv.run_command("GET", "text") == b"x"


def test_after_a_refusal_inside_a_pipeline_the_next_reply_is_the_right_one(kv: RedisClient) -> None:
    kv.run_command("SET", "text", "x")
    with pytest.raises(RedisRefused):
        kv.run_pipeline([("LPUSH", "text", "y"), ("SET", "other", "z")])
    assert kv.run_command("GET", "other") == b"z"


def test_a_call_broken_off_half_way_leaves_no_reply_for_the_next(kv: RedisClient) -> None:
    class BrokenOff(list[Command]):
        """Commands whose second reading, that of the replies, is interrupted."""

        readings = 0

        def __iter__(self) -> Iterator[Command]:
            self.readings += 1
            yield super().__getitem__(0)
            if self.readings > 1:
                raise KeyboardInterrupt
            yield super().__getitem__(1)

    with pytest.raises(KeyboardInterrupt):
        kv.run_pipeline(BrokenOff([("ECHO", "one"), ("BLPOP", "nothing", "0.2")]))
    assert kv.run_command("ECHO", "three") == b"three"
    assert kv.failures == 0


def test_threads_get_their_own_replies(kv: RedisClient) -> None:
    def echo(n: int) -> bool:
        return all(kv.run_command("ECHO", f"{n}-{i}") == f"{n}-{i}".encode() for i in range(50))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(echo, range(24)))


def test_a_forked_child_opens_its_own_connection(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    mine = kv.run_command("CLIENT", "ID")
    child = os.fork()
    if child == 0:
        os._exit(0 if kv.run_command("CLIENT", "ID") != mine else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert kv.run_command("CLIENT", "ID") == mine


def test_nothing_is_asked_before_the_first_call(tmp_path: Path, clock: Stepped) -> None:
    kv = create_client("embedded:", tmp_path, clock)
    assert not kv.away
    with pytest.raises(RedisUnavailable):
        kv.run_command("PING")
    assert kv.away
    assert not kv.ping_server()


def test_an_unknown_scheme_is_refused_at_once(tmp_path: Path, clock: Stepped) -> None:
    with pytest.raises(ValueError, match="scheme"):
        create_client("http://localhost", tmp_path, clock)


def test_fakes_of_one_name_share_their_keys_and_others_do_not(
    tmp_path: Path, clock: Stepped
) -> None:
    one, same, other = (create_client(f"fake:{n}", tmp_path, clock) for n in ("x", "x", "y"))
    one.run_command("SET", "k", "v")
    assert same.run_command("GET", "k") == b"v"
    assert other.run_command("GET", "k") is None


def test_a_restart_of_redis_costs_no_command(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    kv.run_command("SET", "kept", "yes")
    kill(own_server)
    assert own_server.revive_server()
    assert kv.run_command("GET", "kept") == b"yes"
    assert kv.failures == 0


def test_a_dead_redis_is_asked_once_and_then_left_alone(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient], clock: Stepped
) -> None:
    kv = attach(pause_seconds=5.0)
    assert kv.ping_server()
    kill(own_server)
    for _ in range(20):
        with pytest.raises(RedisUnavailable):
            kv.run_command("GET", "k")
    assert (kv.failures, kv.refusals) == (1, 19)
    clock.pass_by(4.9)
    assert kv.away
    clock.pass_by(0.2)
    assert not kv.away
    assert not kv.ping_server()
    assert (kv.failures, kv.refusals) == (2, 19)
    own_server.revive_server()
    assert not kv.ping_server()
    clock.pass_by(5.1)
    assert kv.ping_server()
    assert not kv.away


def test_a_hung_redis_costs_one_time_out_and_then_none(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient], clock: Stepped
) -> None:
    kv = attach(timeout_seconds=0.05)
    patient = attach()
    assert patient.ping_server()
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(RedisUnavailable, match="no reply in time"):
            kv.run_command("GET", "k")
        for _ in range(49):
            with pytest.raises(RedisUnavailable, match="not asked"):
                kv.run_command("GET", "k")
        assert (kv.failures, kv.refusals) == (1, 49)
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    assert patient.ping_server()
    clock.pass_by(5.1)
    assert kv.run_command("ECHO", "fresh") == b"fresh"


def test_after_the_pause_one_thread_tries_for_all(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient], clock: Stepped
) -> None:
    kv = attach(timeout_seconds=0.3)
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        assert not kv.ping_server()
        clock.pass_by(5.1)
        start = threading.Barrier(8)

        def ask(_: int) -> bool:
            start.wait()
            return kv.ping_server()

        with ThreadPoolExecutor(8) as pool:
            assert not any(pool.map(ask, range(8)))
        assert (kv.failures, kv.refusals) == (2, 7)
    finally:
        os.kill(own_server.pid, signal.SIGCONT)


def test_a_full_redis_is_away_and_not_a_mistake(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    kv.run_command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(RedisUnavailable):
        kv.run_command("SET", "k", "v")
    assert kv.run_command("GET", "k") is None


def test_a_redis_that_forbids_a_command_is_away_and_not_a_mistake(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    kv.run_command("ACL", "SETUSER", "default", "-evalsha", "-eval")
    with pytest.raises(RedisUnavailable):
        kv.run_script(DOUBLE, ["k"], [1])
    kv.run_command("ACL", "SETUSER", "default", "+@all")
    assert kv.run_script(DOUBLE, ["k"], [1]) == [b"k", 2]


def test_the_job_engine_gets_a_whole_client_that_finds_a_restarted_server(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    jobs = attach().redis_for_jobs()
    jobs.rpush("queue", b"one")
    assert list(jobs.blpop(["queue"], timeout=60) or ()) == [b"queue", b"one"]
    kill(own_server)
    own_server.revive_server()
    assert jobs.ping()


def kill(server: EmbeddedServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
