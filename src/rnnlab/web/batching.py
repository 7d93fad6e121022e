"""Many clients, one network: inputs that wait at the same time are answered by the same forward pass.

One thread owns the network. While it computes, requests queue up; then it takes a share of each (`SHARE` steps), as many as
fit a turn, so that a large request does not hold up the small ones behind it. Nothing waits for a batch to fill. This
module knows runs, and no HTTP.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from rnnlab.data.sequences import Sequences
from rnnlab.errors import DataError, InputError
from rnnlab.runs import Run, model_outputs
from rnnlab.runs.answers import answers
from rnnlab.web.limits import Limits
from rnnlab.web.series import answer_times, length_of, read_inputs
from rnnlab.web.store import RunStore

# Steps that one request gets of a turn, and (padded) steps of one forward pass: an LSTM of 128 units takes about 100 ms for
# a pass, and 60 MB.
SHARE, PASS = 2048, 16_384


class BusyError(InputError):
    """Too much waits already.

    Args:
        seconds: after which it is worth asking again.
    """

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class _Request:
    """One client's inputs on their way through the network."""

    def __init__(self, run_id: str | None, raw: Sequence[Any], steps: int, done: "asyncio.Future[Any]") -> None:
        self.run_id, self.raw, self.steps, self.done = run_id, raw, steps, done
        self.run: Run | None = None
        self.times: list[np.ndarray | None] = []
        self.inputs: Sequences
        self.outputs: np.ndarray
        self.answered = 0

    def begin(self, store: RunStore) -> Run:
        """Return the run, which stays the same to the end; read the inputs as its codec does."""
        if self.run is None:
            run = store.get(store.usual() if self.run_id is None else self.run_id)
            timed = [isinstance(one, dict) and one.get("times") is not None for one in self.raw]
            self.raw = read_inputs(run.codec, self.raw)
            self.inputs = run.codec.encode(self.raw)
            self.times = answer_times(run.codec, self.raw, timed)
            self.outputs = np.zeros((len(self.inputs), run.codec.interface.outputs), dtype=np.float32)
            self.run = run
        return self.run

    def share(self) -> Sequences:
        """Return the inputs that are next, at least one."""
        if not self.answered and self.steps <= SHARE:
            return self.inputs
        steps = self.inputs.lengths[self.answered :].cumsum(0)
        taken = max(1, int((steps <= SHARE).sum()))
        return self.inputs.part(self.answered, self.answered + taken)

    def take(self, outputs: np.ndarray) -> None:
        """Keep the network's outputs ``(inputs, outputs)`` for what `share` gave."""
        self.outputs[self.answered : self.answered + len(outputs)] = outputs
        self.answered += len(outputs)

    def end(self) -> list[dict[str, Any]] | None:
        """Return the answers, or None where inputs are left."""
        if self.run is None or self.answered < len(self.inputs):
            return None
        several = self.run.codec.kind == "series" and len(self.raw) > 1
        ids = [str(number) for number in range(len(self.raw))] if several else []
        return list(answers(self.run, self.run.read(self.outputs, self.raw), ids=ids, times=self.times))


class Batcher:
    """Answers inputs of many clients in one thread.

    Args:
        store: the runs.
        limits: on what may wait.
    """

    def __init__(self, store: RunStore, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._waiting: deque[_Request] = deque()
        self._steps, self._working = 0, False
        self._rate = 50_000.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rnnlab-answers", initializer=_one_thread)

    async def ask(self, run_id: str | None, raw: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the answers to ``raw`` in its order, as `rnnlab.runs.answers` gives them.

        Args:
            run_id: None asks the only run.
            raw: what `Run.predict` takes.

        Raises:
            BusyError: too much waits.
            InputError: too much is asked; an input is not what the run was trained on; the run is gone.
        """
        steps = self._checked(raw)
        if self._steps and self._steps + steps > self._limits.waiting:
            seconds = min(60, max(1, math.ceil(self._steps / self._rate)))
            raise BusyError(
                f"steps that wait must be at most {self._limits.waiting:,}, got {self._steps:,} and {steps:,} more; "
                f"ask again in {seconds} s",
                seconds,
            )
        request = _Request(run_id, raw, steps, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._steps += steps
        if not self._working:
            self._turn()
        return list(await request.done)

    def close(self) -> None:
        """Let the thread end; what waits is not answered any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _checked(self, raw: Sequence[Any]) -> int:
        """Return the steps of all inputs together."""
        limits = self._limits
        if len(raw) > limits.inputs:
            raise DataError(f"inputs must be at most {limits.inputs:,}, got {len(raw):,}; send them in parts")
        total = 0
        for row, one in enumerate(raw):
            length = length_of(one)
            if length > limits.length:
                raise DataError(f"input {row} must be at most {limits.length:,} long, got {length:,}; shorten it")
            total += max(1, length)
        if total > limits.steps:
            raise DataError(f"inputs must be at most {limits.steps:,} long together, got {total:,}; send them in parts")
        return total

    def _turn(self) -> None:
        """Hand what waits to the thread; in the event loop."""
        requests, self._waiting = list(self._waiting), deque()
        self._working = bool(requests)
        if requests:
            work = asyncio.get_running_loop().run_in_executor(self._thread, _work, requests, self._store)
            work.add_done_callback(lambda found: self._after(requests, found))

    def _after(self, requests: list[_Request], work: "asyncio.Future[_Turn]") -> None:
        """Give answers to those who wait for them, and begin the next turn; in the event loop."""
        if work.cancelled():
            return
        crash = work.exception()
        turn = _Turn(dict.fromkeys(requests, crash)) if crash else work.result()
        left = [one for one in requests if one not in turn.ends and not one.done.done()]
        for request in set(requests).difference(left):
            self._steps -= request.steps
            end = turn.ends.get(request)
            if isinstance(end, BaseException) and not request.done.done():
                request.done.set_exception(end)
            elif not request.done.done():
                request.done.set_result(end)
        if turn.seconds > 0.001:
            self._rate += 0.1 * (turn.steps / turn.seconds - self._rate)
        # Who got a share goes behind those who came meanwhile; who got none stays in front.
        served = set(requests[: turn.reached])
        self._waiting.extendleft(reversed([one for one in left if one not in served]))
        self._waiting.extend(one for one in left if one in served)
        self._turn()


@dataclass
class _Turn:
    """What the thread brings back: ends by request, how many requests got a share, and what it took."""

    ends: dict[_Request, Any] = field(default_factory=dict)
    reached: int = 0
    steps: int = 0
    seconds: float = 0.0


def _one_thread() -> None:
    # A forward pass of a batch gains nothing from more threads than one.
    torch.set_num_threads(1)


def _work(requests: list[_Request], store: RunStore) -> _Turn:
    """Answer a share of as many requests as fit a turn, each with an answer or an error of its own."""
    turn, began = _Turn(), time.perf_counter()
    groups: dict[int, list[_Request]] = {}
    for request in requests:
        if turn.steps >= PASS:
            break
        turn.reached += 1
        try:
            run = request.begin(store)
            if request.raw:
                turn.steps += min(request.steps, SHARE)
                groups.setdefault(id(run), []).append(request)
            else:
                turn.ends[request] = []
        except Exception as error:
            turn.ends[request] = error
    for group in groups.values():
        try:
            _pass(group)
            turn.ends.update({request: end for request in group if (end := request.end()) is not None})
        except Exception as error:
            turn.ends.update(dict.fromkeys(group, error))
    turn.seconds = time.perf_counter() - began
    return turn


def _pass(group: list[_Request]) -> None:
    """Run the next inputs of some requests of one run through its network, in passes of like lengths."""
    run = group[0].run
    assert run is not None
    shares = [request.share() for request in group]
    inputs = Sequences.join(shares)
    outputs = np.zeros((len(inputs), run.codec.interface.outputs), dtype=np.float32)
    for index in _alike(inputs.lengths):
        outputs[index.numpy()] = model_outputs(run.model, inputs, index)[0]
    first = 0
    for request, share in zip(group, shares, strict=True):
        request.take(outputs[first : first + len(share)])
        first += len(share)


def _alike(lengths: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the examples of one forward pass after the other, the short ones first."""
    order = torch.argsort(lengths, stable=True)
    while len(order):
        # The longest of a pass is its last: count times length is what the network computes.
        padded = lengths[order] * torch.arange(1, len(order) + 1)
        count = max(1, int((padded <= PASS).sum()))
        yield order[:count]
        order = order[count:]
