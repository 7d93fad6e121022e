"""Products of a stack whose bits do not depend on how many runs it has.

torch computes a lone product that has a side of one as a vector's, with sums in another order than that of the same product among
others. So a lone one is given company: a run alone, in a stack, and in one whose other runs have left, comes out the same.
"""

import torch
from torch import Tensor


def bmm(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left (runs, rows, inner) @ right (runs, inner, columns)``.

    Example:
        >>> bmm(torch.ones(1, 4, 3), torch.ones(1, 3, 1)).shape
        torch.Size([1, 4, 1])
    """
    if _is_alone(left, right):
        return torch.bmm(left.expand(2, -1, -1), right.expand(2, -1, -1))[:1]
    return torch.bmm(left, right)


def baddbmm(bias: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return ``bias (runs, 1, columns)`` and the product of `bmm` together."""
    if _is_alone(left, right):
        return torch.baddbmm(bias.expand(2, -1, -1), left.expand(2, -1, -1), right.expand(2, -1, -1))[:1]
    return torch.baddbmm(bias, left, right)


def _is_alone(left: Tensor, right: Tensor) -> bool:
    return left.shape[0] == 1 and (1 in left.shape[1:] or right.shape[2] == 1)
