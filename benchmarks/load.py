"""Many clients of a service, in a process of their own: ``python -m benchmarks.load ADDRESS --rate 500 --seconds 10``.

Every client keeps one connection and sends a name a request, at times that are set beforehand; a latency counts from that time,
so that a service that stalls does not escape by being asked less (no coordinated omission). With ``--rate 0`` each client asks
again as soon as it is answered. Prints one JSON object. Bounded in time and requests; to this machine alone.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"
MOST_REQUESTS = 2_000_000


@dataclass
class Seen:
    """What the clients saw: latencies in seconds, and what was not answered 200."""

    latencies: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """Count a failure."""
        self.failures[reason] = self.failures.get(reason, 0) + 1


def body(draw: random.Random, run: str | None, inputs: int) -> bytes:
    """Return a request about made-up names."""
    names = [
        "".join(draw.choice(CONSONANTS) + draw.choice(VOWELS) for _ in range(draw.randint(2, 5))).title()
        for _ in range(inputs)
    ]
    asked: dict[str, Any] = {"input": names[0]} if inputs == 1 else {"inputs": names}
    return json.dumps(asked | ({"run": run} if run else {})).encode()


async def ask(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], host: str, content: bytes) -> int:
    """Send a request over an open connection and return the status of the whole answer."""
    reader, writer = streams
    head = f"POST /api/predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    writer.write(head.encode() + b"\r\n\r\n" + content)
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(answer.split()[1])


async def client(number: int, given: argparse.Namespace, began: float, seen: Seen) -> None:
    """Ask until the time is over."""
    place, draw = urlsplit(given.address), random.Random(number)
    host = f"{place.hostname}:{place.port}"
    streams = await asyncio.open_connection(place.hostname, place.port)
    most = MOST_REQUESTS // given.clients
    for turn in range(most):
        wanted = (
            began + (turn + number / given.clients) * given.clients / given.rate if given.rate else time.perf_counter()
        )
        if wanted > began + given.seconds:
            break
        content = body(draw, given.run, given.inputs)
        await asyncio.sleep(max(0.0, wanted - time.perf_counter()))
        try:
            status = await asyncio.wait_for(ask(streams, host, content), 30)
        except (OSError, EOFError, TimeoutError) as error:
            seen.fail(type(error).__name__)
            streams[1].close()
            streams = await asyncio.open_connection(place.hostname, place.port)
            continue
        if status == 200:
            seen.latencies.append(time.perf_counter() - wanted)
        else:
            seen.fail(str(status))
    streams[1].close()


async def run(given: argparse.Namespace) -> dict[str, Any]:
    """Let all clients ask; return what they saw."""
    seen, began = Seen(), time.perf_counter() + 0.1
    await asyncio.gather(*(client(number, given, began, seen) for number in range(given.clients)))
    spent = time.perf_counter() - began
    found = sorted(seen.latencies) or [float("nan")]
    percentiles = {f"p{q}_ms": 1000 * found[min(len(found) - 1, len(found) * q // 100)] for q in (50, 90, 99)}
    return {
        "clients": given.clients, "asked_a_second": given.rate or "as fast as answered", "inputs_a_request": given.inputs,
        "answered": len(seen.latencies), "answered_a_second": len(seen.latencies) / spent, "failures": seen.failures,
        **percentiles, "max_ms": 1000 * found[-1],
    }  # fmt: skip


def main() -> None:
    """Parse, ask, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("address")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument(
        "--rate", type=float, default=500.0, help="requests a second of all clients; 0: as fast as answered"
    )
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--inputs", type=int, default=1, help="names a request")
    parser.add_argument("--run")
    given = parser.parse_args()
    if urlsplit(given.address).hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error(f"ADDRESS must be this machine's own, got {given.address}")
    try:
        import uvloop

        loop = uvloop.new_event_loop
    except ImportError:
        loop = None
    with asyncio.Runner(loop_factory=loop) as runner:
        print(json.dumps(runner.run(run(given))))


if __name__ == "__main__":
    main()
