"""One thread a test process: small tensors do not gain from more, and loaded machines lose a lot."""

import torch

torch.set_num_threads(1)
