# %% [markdown]
# # Names to origins
#
# Which network tells the origin of a surname best, and is it better than no network at all?
#
# You write plain PyTorch. Every task has a cell that checks your answer and says what is wrong with it; run it as often
# as you like. Where a cell says `# your code here`, replace the `...`.
#
# The data are 17,986 surnames of 18 origins. The lab trained on all of them, one name at a time, and drew its confusion
# matrices from the names it had trained on. You will not.

# %%
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import rnnlab
from rnnlab.data import library
from rnnlab.notebooks import show
from rnnlab.notebooks.checks import names as check

torch.set_num_threads(1)
source = library.names()
texts, labels = list(source.texts), list(source.labels)
origins = list(source.classes)
targets = torch.tensor([origins.index(label) for label in labels])
show.bars(
    {origin: labels.count(origin) for origin in origins},
    "Names of each origin",
    y="names",
)

# %% [markdown]
# ## 1. Hold names out
#
# A network that is asked about names it has seen shows its memory, not its skill. Some names stand in the data more than
# once, with different origins: `texts.count("Michel")` is not 1. Draw about a fifth of the *distinct* names for the test
# part; every row of such a name goes there.


# %%
def hold_out(
    texts: list[str], share: float = 0.2, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Return the rows to train on, and the rows that are held out."""
    ### BEGIN SOLUTION
    distinct = sorted(set(texts))
    drawn = np.random.default_rng(seed).permutation(distinct)[
        : round(share * len(distinct))
    ]
    held = set(drawn.tolist())
    train = [row for row, text in enumerate(texts) if text not in held]
    test = [row for row, text in enumerate(texts) if text in held]
    return train, test
    ### END SOLUTION


# %%
check.hold_out(hold_out, texts, labels)

# %% [markdown]
# ## 2. Names as tensors
#
# A batch of names is a tensor `(batch, time)`: a number a letter, 0 where a name is over (the *padding*). The lengths
# come with it, as nobody can tell later where a name ended.

# %%
letters = sorted(set("".join(texts)))


def encode(names: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the letters, (batch, time) int64, padded with 0, and the lengths, (batch,) int64."""
    ### BEGIN SOLUTION
    number = {letter: index for index, letter in enumerate(letters, start=1)}
    lengths = torch.tensor([len(name) for name in names])
    inputs = torch.zeros(len(names), int(lengths.max()), dtype=torch.int64)
    for row, name in enumerate(names):
        inputs[row, : len(name)] = torch.tensor([number[letter] for letter in name])
    return inputs, lengths
    ### END SOLUTION


# %%
check.encode(encode)

# %% [markdown]
# ## 3. The network
#
# The lab built its RNN of linear layers, and was then asked to use PyTorch's own. Write one class for both: an embedding
# of the letters, `nn.RNN` or `nn.LSTM`, and a linear layer that reads the state after the *last letter* of each name (not
# after the padding). It returns logits, `(batch, 18)`; the softmax is in the loss.


# %%
class Network(nn.Module):
    """Letters to logits."""

    def __init__(self, cell: str, hidden_size: int = 128) -> None:
        ### BEGIN SOLUTION
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell]
        self.embedding = nn.Embedding(len(letters) + 1, 32, padding_idx=0)
        self.layer = layer(32, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, len(origins))
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        outputs, _ = self.layer(self.embedding(inputs))
        last = outputs[torch.arange(len(inputs)), lengths - 1]
        return self.head(last)
        ### END SOLUTION


# %%
check.network(Network, encode, texts)

# %% [markdown]
# ## 4. One update
#
# Cross entropy, its gradient, a step of the optimizer. Return the loss as a number. The check runs the doctor
# (`rnnlab.diagnose`) on it: the same one that you can run on any training of your own.


# %%
def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    lengths: torch.Tensor,
) -> float:
    """Update the model once and return the loss."""
    ### BEGIN SOLUTION
    loss = F.cross_entropy(model(inputs, lengths), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %%
check.train_step(train_step, Network, encode, texts, targets)

# %% [markdown]
# ## 5. Macro recall
#
# Half of the names are Russian: who always answers *Russian* is right in half of the cases and knows nothing. *Recall* of an origin is the share of its names that were recognised; the mean over the origins counts each of
# them alike.


# %%
def macro_recall(truth: torch.Tensor, guess: torch.Tensor) -> float:
    """Return the mean recall over the labels that occur in `truth`; both are (examples,) int64."""
    ### BEGIN SOLUTION
    recalls = [
        (guess[truth == label] == label).float().mean() for label in truth.unique()
    ]
    return torch.stack(recalls).mean().item()
    ### END SOLUTION


# %%
check.macro_recall(macro_recall)

# %% [markdown]
# ## 6. Train both
#
# Batches of 256 names, Adam, three passes over the training names. Return the model and the mean loss of each pass.


# %%
def train(
    cell: str, lr: float = 0.005, epochs: int = 3
) -> tuple[nn.Module, list[float]]:
    """Return a trained network, and its mean loss over each epoch."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    model = Network(cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    rows, _ = hold_out(texts)
    means = []
    for _ in range(epochs):
        losses = []
        for batch in torch.tensor(rows)[torch.randperm(len(rows))].split(256):
            inputs, lengths = encode([texts[row] for row in batch.tolist()])
            losses.append(train_step(model, optimizer, inputs, targets[batch], lengths))
        means.append(sum(losses) / len(losses))
    return model, means
    ### END SOLUTION


def guesses(model: nn.Module, rows: list[int]) -> torch.Tensor:
    """Return the number of the likeliest origin of each row's name."""
    with torch.no_grad():
        return model(*encode([texts[row] for row in rows])).argmax(dim=1)


# %%
trained = {"rnn": train("rnn"), "lstm": train("lstm")}
check.trained(trained, encode, hold_out, texts, labels)

# %%
curves = {cell: result[1] if result else None for cell, result in trained.items()}
show.curves(curves, x="epoch", y="mean loss")

# %% [markdown]
# The lab's pictures of this kind showed training names. These are held out:

# %%
held_out = hold_out(texts)
answers = {
    cell: guesses(result[0], held_out[1]) if result else None
    for cell, result in trained.items()
}
truth = targets[held_out[1]] if held_out else None
show.confusion(truth, answers["lstm"], origins, "LSTM, held-out names")

# %% [markdown]
# ## 7. Better than no network?
#
# `rnnlab.train` puts the baselines beside the network, and they cannot be switched off. The last of them is a linear model
# on the n-grams of the letters: no recurrence, no hidden state.

# %%
run = rnnlab.train(source, cell="lstm", hidden_size=128, ngram_size=0, epochs=3)
run

# %% [markdown]
# Which of them would you use, and why? What did the lab have to leave out so that it did not see this?

# %% [markdown] tags=["answer"]
# After three passes the LSTM has not caught up with the n-grams, which take seconds. With more passes and a bag of such
# n-grams beside the readout (`ngram_size`, which `rnnlab.train` sets unless told otherwise) it does; `rnnlab lab names` says
# by how much. The lab held nothing out and had no baseline, so that any figure looked good.

# %% [markdown]
# ## 8. 'The more parameters, the larger the learning rate'
#
# That is the lab's last sentence. It compared three networks of different kinds, at different rates, with one seed. Here is
# one kind at two sizes, five rates each, all else equal. `Training` runs the five in one program.

# %%
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.tasks import classify_strings
from rnnlab.training import Training

task = classify_strings(source)
rates = (0.1, 0.3, 1.0, 3.0, 10.0)
losses: dict[int, dict[float, float]] = {}
for hidden_size in (16, 64):
    configs = [
        TrainConfig(
            optimizer="sgd",
            lr=lr,
            batch_size=32,
            batching="by_length",
            max_steps=150,
            keep="last",
        )
        for lr in rates
    ]
    training = Training(
        task, ModelConfig(cell="lstm", hidden_size=hidden_size), configs
    )
    for _ in training:
        pass
    losses[hidden_size] = {
        run.train_config.lr: run.history[-1].get("validation_loss", float("inf"))
        for run in training.runs()
    }
losses

# %% [markdown]
# Which rate is best at each size? Write it down as a dictionary, size to rate.

# %%
### BEGIN SOLUTION best
best = {hidden_size: min(found, key=found.get) for hidden_size, found in losses.items()}
### END SOLUTION

# %%
check.best_rates(best, losses)
