"""Many phones at once, in a process of its own: each logs in, agrees, starts, answers, hands in.

Reads one order (JSON) from stdin and answers with one line. A phone comes at its own moment, thinks
between its calls and keeps one connection; a call that is late delays no other phone.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

# Seconds that a phone's person thinks before each of the calls.
_THINKS = {"login": 0.0, "consent": 0.5, "start": 1.0, "answers": 3.0, "submission": 2.0}
_PATIENCE_SECONDS = 20.0


class _Line:
    """A phone's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __init__(self, port: int) -> None:
        self._port = port

    async def open_connection(self) -> None:
        """Open it, again when the server has closed it."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)


class Phones:
    """All phones of a rush, and how long each of their calls took."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._chance = random.Random(20260501)
        self.times: dict[str, list[float]] = {step: [] for step in _THINKS}
        self.errors: list[str] = []
        self.last_at = 0.0

    async def run(self) -> None:
        """Every phone, spread evenly with a little chance over the seconds of the order."""
        codes = self._order["codes"]
        begun = time.perf_counter()
        arrivals = sorted(self._chance.uniform(0, self._order["seconds"]) for _ in codes)
        phones = zip(codes, arrivals, strict=True)
        await asyncio.gather(*(self._phone(code, at) for code, at in phones))
        self.last_at = time.perf_counter() - begun

    async def _phone(self, code: str, at: float) -> None:
        await asyncio.sleep(at)
        line = _Line(self._order["port"])
        try:
            await line.open_connection()
        except OSError as trouble:
            self.errors.append(f"connection: {trouble!r}")
            return
        try:
            await asyncio.wait_for(self._whole_way(code, line), 60)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as trouble:
            self.errors.append(repr(trouble))
        finally:
            line.writer.close()

    async def _whole_way(self, code: str, line: _Line) -> None:
        token = ""

        async def call(step: str, method: str, path: str, body: Any, status: int) -> Any:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * _THINKS[step])
            keyed = step in ("consent", "start", "submission")
            request = _request(method, path, body, token, self._key() if keyed else "")
            begun = time.perf_counter()
            if line.reader.at_eof():
                # The server closes idle connections after five seconds; a phone opens a new one.
                await line.open_connection()
            line.writer.write(request)
            found, answer = await asyncio.wait_for(_answer(line.reader), _PATIENCE_SECONDS)
            self.times[step].append((time.perf_counter() - begun) * 1000)
            if found != status:
                raise ValueError(f"{step}: {found} {answer[:200]!r}")
            return json.loads(answer) if answer else None

        signed = await call("login", "POST", "/login", {"code": code}, 200)
        token = signed["token"]
        policy = {"policy_version": signed["citizen"]["policy_version"]}
        await call("consent", "POST", "/me/consents", policy, self._order["consent_status"])
        contest = self._order["contest"]
        paper = await call("start", "POST", f"/contests/{contest}/attempts", {}, 201)
        answers = {"answers": {q["id"]: [self._chance.choice(q["options"])["key"]]
                               for q in paper["questions"]}}  # fmt: skip
        await call("answers", "PUT", f"/attempts/{paper['id']}/answers", answers, 204)
        await call("submission", "POST", f"/attempts/{paper['id']}/submission", answers, 200)

    def _key(self) -> str:
        return f"rush-{self._chance.getrandbits(80):x}"


def _request(method: str, path: str, body: Any, token: str, key: str) -> bytes:
    content = json.dumps(body).encode()
    head = [f"{method} /api/v1{path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*",
            "Content-Type: application/json", f"Content-Length: {len(content)}"]  # fmt: skip
    head += [f"Authorization: Bearer {token}"] if token else []
    head += [f"Idempotency-Key: {key}"] if key else []
    return "\r\n".join([*head, "", ""]).encode() + content


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head[9:12])
    length = 0
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return status, await reader.readexactly(length)


def main() -> None:
    """Carry out the order of stdin."""
    phones = Phones(json.loads(sys.stdin.readline()))
    asyncio.run(phones.run())
    told = {"times": phones.times, "errors": phones.errors, "seconds": phones.last_at}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
