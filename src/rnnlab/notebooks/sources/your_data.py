# %% [markdown]
# # Your own data
#
# Replace the file, name its columns, and run the cells. As it stands, the notebook makes a file of 160 small gestures: points
# of a hand over time, some clockwise and some counter-clockwise, of different lengths.

# %%
import csv

import numpy as np

import rnnlab
from rnnlab.notebooks import show

random = np.random.default_rng(0)
with open("gestures.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["gesture", "tick", "x", "y", "kind"])
    for gesture in range(160):
        kind, turn = random.choice([("clockwise", -1.0), ("counter", 1.0)])
        start, steps = random.uniform(0, 6.28), int(random.integers(8, 25))
        for tick in range(steps):
            angle = float(start) + float(turn) * 4 * tick / steps
            x, y = (
                np.cos(angle) + random.normal(0, 0.2),
                np.sin(angle) + random.normal(0, 0.2),
            )
            writer.writerow([gesture, tick, round(x, 3), round(y, 3), kind])

# %% [markdown]
# ## What is in the file
#
# A file is read as one of four shapes. Say which columns are what:
#
# | shape | options |
# |---|---|
# | strings with a label | `text="name", target="origin"` |
# | a row a sequence, a column a step | `steps="t*", target="y"` |
# | a row a step (this one) | `id="gesture", time="tick", features="x,y", target="kind"` |
# | a series to forecast | `time="day", value="sold", horizon=7` |

# %%
FILE = "gestures.csv"
COLUMNS = {"id": "gesture", "time": "tick", "features": "x,y", "target": "kind"}

# %% [markdown]
# ## Train
#
# What you do not say is chosen for the kind of your data. The table puts models without a network beside the run: if one of
# them is as good, you do not need a network.

# %%
run = rnnlab.train(FILE, **COLUMNS, max_seconds=5)
run

# %% [markdown]
# ## Which cell?
#
# Every cell is tuned over the same rates and trained with the same seeds; the sentences say what can be said. Three seeds and
# sixty updates, as here, keep the notebook quick and allow no claim: leave those options out for the real thing.

# %%
comparison = rnnlab.compare(
    FILE, "elman,gru", seeds=3, rates="0.008", max_steps=60, **COLUMNS
)
comparison

# %% [markdown]
# ## Ask it
#
# An input is what one row of the data is: here an array `(time, features)`.

# %%
angles = np.linspace(0, 3, 12)
answer = rnnlab.predict(run, [np.stack([np.cos(angles), np.sin(angles)], axis=1)])[0]
show.bars(answer["probabilities"], "Half a circle, counter-clockwise", y="probability")

# %% [markdown]
# ## Keep it
#
# `rnnlab.train(..., out="runs/gestures")` writes a folder that can be loaded, resumed after a crash, verified to the bit and
# served. Nothing in it is executed when it is loaded.
