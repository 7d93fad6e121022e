"""The autograd operation around the two passes."""

from typing import Any

import torch
from torch import Tensor

from rnnlab.kernels import jobs, places
from rnnlab.kernels.passes import Passes
from rnnlab.kernels.plan import Plan


class Recurrent(torch.autograd.Function):
    """`rnnlab.kernels.layer` with checked arguments."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight_ih: Tensor | None, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor,
        plan: Plan, cell: int, mode: int, every_step: bool,
    ) -> Any:  # fmt: skip
        runs, _, hidden = weight_hh.shape
        sets, batch, time = inputs.shape[:3]
        ctx.passes = Passes(plan, cell, mode, sets, time, (weight_ih, weight_hh, bias_ih, bias_hh))
        outputs = torch.empty(runs, batch, time if every_step else 0, hidden)
        last = torch.empty(runs, batch, hidden)
        ctx.passes.forward(inputs, outputs if every_step else None, last)
        ctx.save_for_backward(weight_ih, weight_hh, inputs if mode == jobs.SYMBOLS else None)
        ctx.set_materialize_grads(False)
        return outputs, last

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("the kernels' gradients have none of their own; use the equations in rnnlab.cells")
        weight_ih, _, _ = ctx.saved_tensors  # raises where one was changed since
        d_inputs, gradients = ctx.passes.backward(d_outputs, d_last, places.claim(weight_ih), ctx.needs_input_grad[0])
        d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh = gradients
        at_input = None if weight_ih is None else d_weight_ih
        return d_inputs, at_input, d_weight_hh, d_bias_ih, d_bias_hh, None, None, None, None
