# %% [markdown]
# # Three numbers by heart
#
# Does an LSTM learn three numbers faster than an RNN?
#
# The lab trained both on three sequences and wrote: 'the LSTM converged faster than the RNN, even though it converged to a
# quite higher loss'. It printed these lines:
#
#     0 lossRNN: 2.461430788040161   lossLSTM: 0.3476763665676117
#     1 lossRNN: 0.18518516421318054 lossLSTM: 0.3476763665676117
#
# You write plain PyTorch. Every task has a cell that checks your answer and says what is wrong with it; run it as often
# as you like. Where a cell says `# your code here`, replace the `...`.

# %%
import torch
from torch import nn
from torch.nn import functional as F

import rnnlab
from rnnlab.data import library
from rnnlab.notebooks import show
from rnnlab.notebooks.checks import memorise as check

torch.set_num_threads(1)
source = library.memorise()
x = torch.stack(
    [torch.as_tensor(row) for row in source.values]
)  # (batch=3, time=3, features=1)
y = torch.as_tensor(source.targets).reshape(3, 1)  # 1/3, 2/3, 1
x[:, :, 0], y

# %% [markdown]
# ## 1. The LSTM version
#
# This is the lab's RNN. The class is given; write the LSTM version of it: three layers, 1 to 100, 100 to 100, 100 to 1.
# The lab left `batch_first=True` out. Do not.


# %%
class SimpleRNN(nn.Module):
    """Three layers, the last of which has one unit: it is the output."""

    def __init__(
        self, input_size: int = 1, hidden_size: int = 100, output_size: int = 1
    ) -> None:
        super().__init__()
        self.rnn1 = nn.RNN(input_size, hidden_size, batch_first=True)
        self.rnn2 = nn.RNN(hidden_size, hidden_size, batch_first=True)
        self.rnn3 = nn.RNN(hidden_size, output_size, batch_first=True)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        outputs, _ = self.rnn1(inputs)
        outputs, _ = self.rnn2(outputs)
        return self.rnn3(outputs)


class SimpleLSTM(nn.Module):
    """The same of LSTMs: returns the outputs of all steps, and the last layer's states."""

    def __init__(
        self, input_size: int = 1, hidden_size: int = 100, output_size: int = 1
    ) -> None:
        ### BEGIN SOLUTION
        super().__init__()
        self.lstm1 = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.lstm2 = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        self.lstm3 = nn.LSTM(hidden_size, output_size, batch_first=True)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, object]:
        ### BEGIN SOLUTION
        outputs, _ = self.lstm1(inputs)
        outputs, _ = self.lstm2(outputs)
        return self.lstm3(outputs)
        ### END SOLUTION


# %%
check.lstm(SimpleLSTM, x)

# %% [markdown]
# ## 2. Two optimizers
#
# Every network has its own: SGD with a rate of 0.9, as in the lab.


# %%
def make_optimizers(
    rnn: nn.Module, lstm: nn.Module
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Return the optimizer of the RNN, and that of the LSTM."""
    ### BEGIN SOLUTION
    return torch.optim.SGD(rnn.parameters(), lr=0.9), torch.optim.SGD(
        lstm.parameters(), lr=0.9
    )
    ### END SOLUTION


# %%
check.optimizers(make_optimizers, SimpleRNN)

# %% [markdown]
# ## 3. The loop
#
# The loss is on the third step's output. Record it in every epoch, before the update.


# %%
def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, epochs: int = 100
) -> list[float]:
    """Train on x and y, and return the loss of each epoch."""
    ### BEGIN SOLUTION
    losses = []
    for _ in range(epochs):
        outputs, _ = model(x)
        loss = F.mse_loss(outputs[:, 2, :], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


# %%
check.train(train, SimpleRNN, x, y)

# %% [markdown]
# ## 4. The loss that does not move: the RNN
#
# The lab's RNN ends at 0.185185: 5/27. Which three outputs give that loss against the targets 1/3, 2/3 and 1?

# %%
### BEGIN SOLUTION stuck
stuck = [1.0, 1.0, 1.0]
### END SOLUTION

# %%
check.stuck(stuck)

# %% [markdown]
# ## 5. The loss that does not move: the LSTM
#
# The lab's LSTM has the same loss in both lines, to the last digit. Here is the lab's program, and what the doctor says
# of it. Was it 'converged in the first epoch'?

# %%
torch.manual_seed(0)
rnn, lstm = SimpleRNN(), nn.LSTM(1, 100, batch_first=True)
lab = {
    "model": lstm,
    "optimizer": torch.optim.SGD(rnn.parameters(), lr=0.9),
    "loss": nn.MSELoss(),
    "forward": lambda model, inputs: model(inputs)[0][:, 2, :1],
    "inputs": x,
    "targets": y,
}
rnnlab.diagnose(lab, checks=["optimizer_misses_parameters"])

# %% [markdown]
# ## 6. So which is faster?
#
# One seed says nothing. Train both with five seeds each, at 0.9 as the lab did and at 0.01, for 200 epochs.


# %%
def many(
    make: type[nn.Module], lr: float, seeds: int = 5, epochs: int = 200
) -> list[list[float]]:
    """Return the losses of `seeds` fresh networks, each after its own `torch.manual_seed(seed)`."""
    ### BEGIN SOLUTION
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = make()
        found.append(train(model, torch.optim.SGD(model.parameters(), lr=lr), epochs))
    return found
    ### END SOLUTION


# %%
losses = {
    f"{name} {lr}": many(make, lr)
    for name, make in (("RNN", SimpleRNN), ("LSTM", SimpleLSTM))
    for lr in (0.9, 0.01)
}
check.many(losses)

# %%
medians = {
    name: torch.tensor(found).median(dim=0).values.tolist() if found else None
    for name, found in losses.items()
}
show.curves(medians, "Loss, median of five seeds", log_y=True)

# %% [markdown]
# Write the sentence that the lab should have written.

# %% [markdown] tags=["answer"]
# At a rate of 0.9 the RNN jumps to outputs of +1 or -1 in one update, where `tanh` is flat and the gradient is exactly 0, and stays
# there; the lab's ended at 5/27. At 0.01 it learns from every seed. The lab's LSTM was never trained, as its optimizer held the
# RNN's weights: with its own it learns at 0.9 from every seed, and at 0.01 not in 200 epochs. Neither is 'faster': each wants
# its own rate, and one seed at one rate shows luck.
