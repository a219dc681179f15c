"""Sends template messages as fast as it can: by the product's fan-out, or by aiohttp alone.

    python -m tests.bench.sends_client ours|bare    with the order as JSON on stdin

The peer is what a developer would write with the same library: one session, one pool of as many
connections, as many tasks, each of which sends and reads one message after another.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import uvloop

from server.base.clock import SystemClock
from server.base.redis.client import create_client
from server.base.redis.facilities import create_facilities
from server.base.settings import WeChat, WeChatApp
from server.wechat.gateway import FanOutResult
from server.wechat.http_gateway import HttpGateway, open_gateway
from server.wechat.letters import Accepted, TemplateMessage

_PATH = "/cgi-bin/message/template/send"
_TOKEN = "/cgi-bin/stable_token"
_PATIENCE = 600


@dataclass(frozen=True, kw_only=True)
class SendOrder:
    """What is sent. Units: `base` is the address of WeChat's API."""

    base: str
    appid: str
    secret: str
    mini_appid: str
    template_id: str
    fields: dict[str, str]
    openids: list[str]
    letters: int
    connections: int


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Units: seconds of the clock, and of this process's CPU."""

    seconds: float
    cpu_seconds: float
    accepted: int


def message(order: SendOrder, number: int) -> TemplateMessage:
    """One message; everybody gets one before anybody gets a second."""
    return TemplateMessage(
        openid=order.openids[number % len(order.openids)],
        template_id=order.template_id,
        fields=order.fields,
        client_msg_id=f"m{number}",
    )


def gateway_of(order: SendOrder) -> HttpGateway:
    """The product's gateway, without database and Redis."""
    clock = SystemClock()
    kit = create_facilities(create_client("fake:sends", None, clock), clock)  # type: ignore[arg-type]
    wechat = WeChat(
        api_base=order.base,
        official_account=WeChatApp(appid=order.appid, secret=order.secret),
        mini_program=WeChatApp(appid=order.mini_appid, secret=order.secret),
    )
    dependencies: Any = SimpleNamespace(clock=clock, kv=kit)
    factory: Any = SimpleNamespace(depth=0)
    return open_gateway(wechat, dependencies, factory, total_seconds=_PATIENCE)


def send_by_fan_out(order: SendOrder) -> Spent:
    """Everything through the gateway; a thread that is not the loop's collects the results."""
    results: queue.SimpleQueue[FanOutResult] = queue.SimpleQueue()
    gateway = gateway_of(order)
    with gateway.open_fan_out(order.connections, lambda _key, told: results.put(told)) as fan_out:

        def send(numbers: range) -> int:
            for number in numbers:
                fan_out.submit(number, message(order, number))
            told = [results.get(timeout=_PATIENCE) for _ in numbers]
            return sum(isinstance(one, Accepted) for one in told)

        send(warm_up(order))
        return _timed(lambda: send(range(order.letters)))


def send_by_aiohttp(order: SendOrder) -> Spent:
    """Everything by a session of aiohttp."""
    token = _token_of(order)

    async def run() -> Spent:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=order.connections),
            timeout=aiohttp.ClientTimeout(total=_PATIENCE),
        ) as session:

            async def work(numbers: Iterator[int]) -> int:
                accepted = 0
                for number in numbers:
                    async with session.post(
                        f"{order.base}{_PATH}",
                        params={"access_token": token},
                        data=_body(order, number),
                        headers={"Content-Type": "application/json"},
                    ) as response:
                        answer = json.loads(await response.read())
                    accepted += answer["errcode"] == 0
                return accepted

            async def send(numbers: range) -> int:
                left = iter(numbers)
                done = await asyncio.gather(*(work(left) for _ in range(order.connections)))
                return sum(done)

            await send(warm_up(order))
            begun, cpu = time.perf_counter(), time.process_time()
            accepted = await send(range(order.letters))
            return _spent(begun, cpu, accepted)

    return uvloop.run(run())


def warm_up(order: SendOrder) -> range:
    """The numbers of messages that open the connections, before the clock runs."""
    return range(order.letters, order.letters + order.connections)


def _body(order: SendOrder, number: int) -> bytes:
    one = message(order, number)
    body = {
        "touser": one.openid,
        "template_id": one.template_id,
        "data": {key: {"value": value} for key, value in one.fields.items()},
        "client_msg_id": one.client_msg_id,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _token_of(order: SendOrder) -> str:
    asked = {
        "grant_type": "client_credential",
        "appid": order.appid,
        "secret": order.secret,
        "force_refresh": False,
    }
    with urllib.request.urlopen(f"{order.base}{_TOKEN}", json.dumps(asked).encode()) as answer:
        return str(json.load(answer)["access_token"])


def _timed(send: Callable[[], int]) -> Spent:
    begun, cpu = time.perf_counter(), time.process_time()
    return _spent(begun, cpu, send())


def _spent(begun: float, cpu: float, accepted: int) -> Spent:
    return Spent(
        seconds=time.perf_counter() - begun,
        cpu_seconds=time.process_time() - cpu,
        accepted=accepted,
    )


if __name__ == "__main__":
    given = SendOrder(**json.load(sys.stdin))
    found = (send_by_fan_out if sys.argv[1] == "ours" else send_by_aiohttp)(given)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
