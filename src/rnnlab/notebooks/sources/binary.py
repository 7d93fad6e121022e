# %% [markdown]
# # Binary numbers to decimal
#
# Can a recurrent network turn eight bits into a number?
#
# The lab fed all eight bits to an RNN and to an LSTM, got 246.0 and 252.5 for eight ones, and could not say why a bare
# `nn.RNN` sticks near a loss of 2117.5. You will.
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
from rnnlab.notebooks.checks import binary as check

torch.set_num_threads(1)

# %% [markdown]
# ## 1. Bits
#
# A recurrent network reads a sequence: eight steps of one bit, the most significant first, as you would read them aloud.


# %%
def to_bits(number: int) -> torch.Tensor:
    """Return the bits of 0 .. 255, (time=8, features=1) float32, the most significant first."""
    ### BEGIN SOLUTION
    return torch.tensor([[float(number >> place & 1)] for place in range(7, -1, -1)])
    ### END SOLUTION


# %%
check.to_bits(to_bits)

# %% [markdown]
# ## 2. What a bare RNN can reach
#
# The output of a bare `nn.RNN` is a `tanh`: it lies between -1 and 1. The targets are 0 .. 255. What is the smallest mean
# squared error, over all 256 numbers, that any such network can reach, however long it trains?

# %%
### BEGIN SOLUTION best_bare
numbers = torch.arange(256.0)
best_bare = ((numbers - numbers.clamp(-1, 1)) ** 2).mean().item()
### END SOLUTION

# %%
check.best_bare(best_bare)

# %% [markdown]
# ## 3. A ReLU that is dead from the start
#
# This is the lab's way out: a linear layer and a ReLU behind it, and all eight bits as the features of *one* step.


# %%
class Lab(nn.Module):
    """The lab's network."""

    def __init__(self, cell: str, hidden_size: int = 16) -> None:
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell]
        self.layer = layer(8, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Turn (batch, 1, 8) into (batch, 1, 1)."""
        outputs, _ = self.layer(inputs)
        return torch.relu(self.head(outputs))


source = library.binary("features")
lab_inputs = torch.stack([torch.as_tensor(row) for row in source.values])  # (256, 1, 8)
lab_targets = torch.as_tensor(source.targets).reshape(-1, 1, 1)

# %% [markdown]
# If the linear layer starts below 0 for *every* number, the ReLU gives 0 for all of them, its gradient is 0, and nothing will
# ever be learned. In what share of fresh networks is that so? Try 200 seeds (`torch.manual_seed(seed)` before each network).


# %%
def dead_share(cell: str, seeds: int = 200) -> float:
    """Return the share of fresh `Lab` networks that answer 0 to all of `lab_inputs`."""
    ### BEGIN SOLUTION
    dead = 0
    for seed in range(seeds):
        torch.manual_seed(seed)
        with torch.no_grad():
            dead += bool((Lab(cell)(lab_inputs) == 0).all())
    return dead / seeds
    ### END SOLUTION


# %%
check.dead_share(dead_share, Lab, lab_inputs)

# %% [markdown]
# The doctor knows that fault, and others. It can be asked about any training in plain PyTorch, yours too; here it is asked
# about one of the lab's networks:

# %%
torch.manual_seed(3)
model = Lab("rnn")
training = {
    "model": model,
    "optimizer": torch.optim.Adam(model.parameters(), lr=0.001),
    "loss": nn.MSELoss(),
    "inputs": lab_inputs,
    "targets": lab_targets,
}
rnnlab.diagnose(training)

# %% [markdown]
# ## 4. A network that is recurrent
#
# Write one that reads `(batch, 8, 1)`, one bit a step, and answers after the last bit with one number, `(batch, 1)`, for
# `cell` `"rnn"` or `"lstm"`. Leave the ReLU out.


# %%
class Network(nn.Module):
    """Bits to a number."""

    def __init__(self, cell: str, hidden_size: int = 32) -> None:
        ### BEGIN SOLUTION
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell]
        self.layer = layer(1, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        outputs, _ = self.layer(inputs)
        return self.head(outputs[:, -1])
        ### END SOLUTION


# %%
check.network(Network)

# %% [markdown]
# ## 5. Train it, and ask about numbers it has not seen
#
# Three quarters of the numbers are to train on. A network that found the rule answers the others too; one that learned by
# heart does not. Targets are divided by 255, so that the loss starts where Adam works well.

# %%
torch.manual_seed(0)
order = torch.randperm(256)
train_numbers, test_numbers = order[:192], order[192:]


def train(
    cell: str, epochs: int = 150, lr: float = 0.003
) -> tuple[nn.Module, list[float]]:
    """Return a network trained on `train_numbers` (batches of 32), and its mean loss over each epoch."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    model = Network(cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    means = []
    for _ in range(epochs):
        losses = []
        for batch in train_numbers[torch.randperm(len(train_numbers))].split(32):
            inputs = torch.stack([to_bits(int(number)) for number in batch])
            loss = F.mse_loss(model(inputs), batch[:, None] / 255)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        means.append(sum(losses) / len(losses))
    return model, means
    ### END SOLUTION


# %%
trained = {"rnn": train("rnn"), "lstm": train("lstm")}
check.trained(trained, test_numbers)

# %%
curves = {cell: result[1] if result else None for cell, result in trained.items()}
show.curves(curves, "Loss on the training numbers", y="mean squared error", log_y=True)

# %% [markdown]
# ## 6. The same with rnnlab
#
# It holds numbers out, says how the network does on them, and puts models without recurrence beside it.

# %%
run = rnnlab.train(
    library.binary("steps"),
    cell="lstm",
    hidden_size=32,
    bidirectional=False,
    readout="last",
    epochs=60,
)
run

# %% [markdown]
# ## 7. Better than no network?
#
# The linear model in that table sees a sequence's last, mean, lowest and highest value, and cannot tell 1000 from 0100. Here is
# one that sees which bit stands where, fitted to the same training numbers as yours:

# %%
bits = lab_inputs[:, 0]  # (256, 8)
weights = torch.linalg.lstsq(
    bits[train_numbers], train_numbers[:, None].float()
).solution
error = (bits[test_numbers] @ weights - test_numbers[:, None]).abs().max().item()
(
    weights[:, 0].round(decimals=2).tolist(),
    f"largest error on held-out numbers: {error:.4f}",
)

# %% [markdown]
# Why is it that good? What would you have to ask, so that a recurrent network is of use?

# %% [markdown] tags=["answer"]
# The value of a number is a weighted sum of its bits, 128, 64, ..., 1: a linear model has it exactly. The task shows how a
# network learns, and needs none. Numbers of any length, or the parity of the bits, cannot be answered by a linear model
# of a fixed number of features.
