# %% [markdown]
# # A store's sales
#
# What will be sold tomorrow? And does a network know it better than last week's value does?
#
# The lab trained an LSTM on 32 past days and drew the forecast over the very days it had trained on. It found that 'a window
# of 8 does not learn', 16 is better and 32 good. You will hold days out and see.
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
from rnnlab.notebooks.checks import sales as check

torch.set_num_threads(1)
source = library.sales()
times, values = (
    source.times,
    torch.as_tensor(source.values, dtype=torch.float32),
)  # pounds a day, two years
first_test = int(0.8 * len(values))  # the last fifth is held out
show.series(
    times,
    values,
    {"held out": values[first_test:]},
    "Sales of an online shop",
    y="pounds a day",
)

# %% [markdown]
# ## 1. What it has to beat
#
# Two forecasts that need no network: tomorrow is like today, and tomorrow is like the same day a week before. Return the mean
# absolute error of each over the held-out days, in pounds.


# %%
def naive(values: torch.Tensor, first_test: int) -> dict[str, float]:
    """Return the errors on values[first_test:], as {"last value": ..., "a week before": ...}."""
    ### BEGIN SOLUTION
    truth = values[first_test:]
    return {
        "last value": (values[first_test - 1 : -1] - truth).abs().mean().item(),
        "a week before": (values[first_test - 7 : -7] - truth).abs().mean().item(),
    }
    ### END SOLUTION


# %%
check.naive(naive, values, first_test)

# %% [markdown]
# ## 2. Scaling, without a look ahead
#
# A network wants values around 0. Subtract the mean and divide by the standard deviation, *of the days that are not held
# out*: whoever takes those of all days has looked at the answer.


# %%
def standardise(
    values: torch.Tensor, first_test: int
) -> tuple[torch.Tensor, float, float]:
    """Return all values scaled, and the mean and the standard deviation that were used."""
    ### BEGIN SOLUTION
    mean, deviation = (
        values[:first_test].mean().item(),
        values[:first_test].std().item(),
    )
    return (values - mean) / deviation, mean, deviation
    ### END SOLUTION


# %%
check.standardise(standardise, values, first_test)

# %% [markdown]
# ## 3. Windows
#
# A window is a sequence: `width` steps of one value. Its target is the value of the *next* day. The lab made two mistakes
# here: the window was the features of one single step, and the target lay one day too far ahead.


# %%
def windows(series: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all windows, (windows, width, 1), and the next value of each, (windows, 1)."""
    ### BEGIN SOLUTION
    inputs = torch.stack(
        [series[start : start + width] for start in range(len(series) - width)]
    )
    return inputs.unsqueeze(-1), series[width:].unsqueeze(-1)
    ### END SOLUTION


# %%
check.windows(windows)

# %% [markdown]
# ## 4. The network
#
# `cell` is `"rnn"` or `"lstm"`, the head is linear. Standardised values are negative half of the time: the lab's ReLU on the
# output could never answer them.


# %%
class Network(nn.Module):
    """A window, (batch, width, 1), to the next value, (batch, 1)."""

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
check.network(Network, windows, standardise, values, first_test)

# %% [markdown]
# ## 5. Train, and forecast the held-out days
#
# Train on the windows that lie before the held-out days (batches of 32, Adam, a rate of 0.005, 40 passes). Then forecast every
# held-out day from the days before it, and turn the answers back into pounds.


# %%
def forecast(cell: str, width: int, epochs: int = 40) -> torch.Tensor:
    """Train a network and return its forecasts of values[first_test:], in pounds, (held-out days,)."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    scaled, mean, deviation = standardise(values, first_test)
    inputs, targets = windows(scaled[:first_test], width)
    model = Network(cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(32):
            loss = F.mse_loss(model(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    inputs, _ = windows(scaled[first_test - width :], width)
    with torch.no_grad():
        return model(inputs)[:, 0] * deviation + mean
    ### END SOLUTION


# %%
found = {cell: forecast(cell, 28) for cell in ("rnn", "lstm")}
check.forecast(found, values, first_test)

# %%
last = slice(first_test - 30, None)
show.series(times[last], values[last], found, "The held-out days", y="pounds a day")

# %% [markdown]
# ## 6. 'A window of 8 does not learn'
#
# Try 8, 16 and 32. Return the mean absolute error of the LSTM on the held-out days for each: `{8: ..., 16: ..., 32: ...}`.


# %%
def by_width() -> dict[int, float]:
    """Return width to mean absolute error, in pounds."""
    ### BEGIN SOLUTION
    truth = values[first_test:]
    return {
        width: (forecast("lstm", width) - truth).abs().mean().item()
        for width in (8, 16, 32)
    }
    ### END SOLUTION


# %%
errors = by_width()
check.by_width(errors, values, first_test)

# %% [markdown]
# ## 7. The same with rnnlab
#
# It holds the end of the series out, scales on the rest, and puts three forecasts without recurrence beside the network; the
# shop's closed days are known in advance (`open`).

# %%
run = rnnlab.train(source, cell="lstm", hidden_size=32, context_length=28, epochs=40)
run

# %% [markdown]
# What would have to be true of a shop for a network to be worth its trouble?

# %% [markdown] tags=["answer"]
# More than the week and the closed days: a linear model on past values (the last line of the table) has the week already. Where the
# network is ahead of it, as here, ask by how much, and whether another seed says so too: `rnnlab.compare` answers both.
