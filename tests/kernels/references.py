"""Reference layers for the kernels' tests: ``torch.nn`` in float64, packed where a batch is ragged."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LAYERS = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"elman": 1, "lstm": 4, "gru": 3}
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


@dataclass
class Case:
    """A stack of layers with inputs, and the gradients that arrive at their outputs."""

    cell: str
    runs: int
    batch: int
    time: int
    features: int
    hidden: int
    ragged: bool = False
    nonlinearity: str = "tanh"
    seed: int = 0
    nets: list[nn.Module] = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        options = {"nonlinearity": self.nonlinearity} if self.cell == "elman" else {}
        self.nets = [
            LAYERS[self.cell](self.features, self.hidden, batch_first=True, **options).double()
            for _ in range(self.runs)
        ]
        self.symbols = torch.randint(0, self.features, (self.runs, self.batch, self.time))
        self.inputs = torch.randn(self.runs, self.batch, self.time, self.features)
        self.lengths = torch.full((self.runs, self.batch), self.time)
        if self.ragged:
            self.lengths = torch.randint(1, self.time + 1, (self.runs, self.batch))
        self.d_outputs = torch.randn(self.runs, self.batch, self.time, self.hidden)
        self.d_last = torch.randn(self.runs, self.batch, self.hidden)

    def weights(self) -> list[Tensor]:
        """Return ``weight_ih, weight_hh, bias_ih, bias_hh`` in float32, with a runs axis."""
        return [
            torch.stack([getattr(net, name).detach() for net in self.nets]).float().requires_grad_() for name in NAMES
        ]

    def given_lengths(self) -> Tensor | None:
        """Return the lengths, or None where the batch is full."""
        return self.lengths if self.ragged else None

    def reference(self, run: int, inputs: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Return outputs, last state, and the gradients of the inputs and of `NAMES`, of one run in float64."""
        net, read = self.nets[run], inputs.double().requires_grad_()
        net.zero_grad()
        packed = pack_padded_sequence(read, self.lengths[run], batch_first=True, enforce_sorted=False)
        ran, state = net(packed)
        outputs, _ = pad_packed_sequence(ran, batch_first=True, total_length=self.time)
        last = (state[0] if self.cell == "lstm" else state)[0]
        ((outputs * self.d_outputs[run]).sum() + (last * self.d_last[run]).sum()).backward()
        return outputs.detach(), last.detach(), [read.grad, *(getattr(net, name).grad for name in NAMES)]


def loss(case: Case, outputs: Tensor, last: Tensor) -> Tensor:
    """Return what has ``d_outputs`` and ``d_last`` as its gradients."""
    return (outputs * case.d_outputs).sum() + (last * case.d_last).sum()


def worst(got: Tensor, expected: Tensor) -> float:
    """Return the largest difference, relative to the largest entry expected."""
    return float((got.detach() - expected).abs().max() / expected.abs().max().clamp_min(1e-12))
