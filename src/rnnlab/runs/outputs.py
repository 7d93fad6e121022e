"""What a stack of networks answers to examples, in batches of like lengths. It knows no run."""

import numpy as np
import torch
from torch import Tensor

from rnnlab.data.sequences import Sequences
from rnnlab.models import Model

PREDICT_BATCH, LEAST_EVALUATED = 512, 64


def model_outputs(model: Model, inputs: Sequences, index: Tensor | None = None) -> np.ndarray:
    """Return the outputs of all runs for the same examples, ``(runs, examples, outputs)`` float32.

    Batches are drawn by length, so that little is spent on padding.

    Args:
        model: a stack.
        inputs: the examples.
        index: ``(wanted,)`` int64; all of them where None.
    """
    index = torch.arange(len(inputs)) if index is None else index
    found = np.zeros((model.runs, len(index), model.interface.outputs), dtype=np.float32)
    by_length = torch.argsort(inputs.lengths[index].cpu(), stable=True)
    batch = max(LEAST_EVALUATED, PREDICT_BATCH // model.runs)
    device = model.flat.device
    with torch.no_grad():
        for rows in torch.split(by_length, batch):
            values, lengths = inputs.gather(index[rows].unsqueeze(0))
            found[:, rows.numpy()] = (
                model(values.to(device), None if lengths is None else lengths.to(device)).cpu().numpy()
            )
    return found
