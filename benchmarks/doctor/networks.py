"""The networks of the programs, in plain PyTorch as students write them. They are right; the faults are elsewhere."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.doctor.programs import CELLS, STEP_CELLS


class Net(nn.Module):
    """A recurrent layer and a linear one that sees the last step's state."""

    def __init__(self, cell: str, inputs: int, outputs: int, hidden: int = 24, **options: Any) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, hidden, batch_first=True, **options)
        self.fc = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), outputs)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


class EveryStep(Net):
    """An answer at every step."""

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out)


class Words(nn.Module):
    """Symbols, an embedding, a recurrent layer, and a linear one on the last state."""

    def __init__(self, cell: str, symbols: int, outputs: int, hidden: int = 24, **options: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, 12, padding_idx=0)
        self.rnn = CELLS[cell](12, hidden, batch_first=True, **options)
        self.fc = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), outputs)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(self.embedding(x))
        return self.fc(out[:, -1])


class EveryWord(Words):
    """Logits at every step."""

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(self.embedding(x))
        return self.fc(out)


class Packed(nn.Module):
    """Ragged sequences, packed; the head sees the final state, of both directions where there are two."""

    def __init__(
        self, cell: str, inputs: int, outputs: int, *, symbols: bool = False, bidirectional: bool = False
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(inputs, 10, padding_idx=0) if symbols else nn.Identity()
        self.rnn = CELLS[cell](10 if symbols else inputs, 20, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(40 if bidirectional else 20, outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
        _, state = self.rnn(packed)
        h = state[0] if isinstance(state, tuple) else state
        return self.fc(torch.cat(list(h), 1) if self.rnn.bidirectional else h[-1])


class PackedTags(Packed):
    """Ragged sequences, packed, and logits at every step."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])
        return self.fc(out)


class Pooled(nn.Module):
    """Ragged sequences; the head sees the mean, the largest, the last valid state, or an attention over valid steps."""

    def __init__(self, cell: str, inputs: int, outputs: int, pooling: str) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, 20, batch_first=True)
        self.score = nn.Linear(20, 1) if pooling == "attention" else None
        self.fc = nn.Linear(20, outputs)
        self.pooling = pooling

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        mask = (torch.arange(x.shape[1]) < lengths.unsqueeze(1)).unsqueeze(-1)
        if self.pooling == "last":
            return self.fc(out[torch.arange(len(out)), lengths - 1])
        if self.pooling == "max":
            return self.fc(out.masked_fill(~mask, -2.0).amax(1))
        if self.score is not None:
            weights = self.score(out).masked_fill(~mask, float("-inf")).softmax(1)
            return self.fc((weights * out).sum(1))
        return self.fc((out * mask).sum(1) / lengths.unsqueeze(1))


class Loop(nn.Module):
    """A cell in a loop over the steps, its state handed on."""

    def __init__(self, cell: str, inputs: int, outputs: int, hidden: int = 24) -> None:
        super().__init__()
        self.cell = STEP_CELLS[cell](inputs, hidden)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
        return self.fc(state[0] if isinstance(state, tuple) else state)


class LinearRNN(nn.Module):
    """The names tutorial's network: input and state side by side through two linear layers, log softmax at the end."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.hidden_size = hidden
        self.i2h = nn.Linear(inputs + hidden, hidden)
        self.i2o = nn.Linear(inputs + hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.zeros(x.shape[0], self.hidden_size)
        output = x
        for t in range(x.shape[1]):
            combined = torch.cat((x[:, t], hidden), 1)
            hidden = self.i2h(combined)
            output = self.i2o(combined)
        return torch.log_softmax(output, dim=1)


class TimeFirst(nn.Module):
    """torch's own default: ``(time, batch, features)``."""

    def __init__(self, cell: str, inputs: int, outputs: int, hidden: int = 24) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, hidden)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out[-1])


class TimeFirstEveryStep(TimeFirst):
    """``(time, batch, features)``, an answer at every step."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0])
