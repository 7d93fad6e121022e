"""A job: the sizes and addresses that a compiled driver works from, as one array of integers.

Here is the order of its fields, for the side that fills it in (`rnnlab.kernels.operation`) and the one that reads it
(`rnnlab.kernels.steps`). Arrays are contiguous; float32, but for the plan and symbols (int64). ``width`` is gates * hidden;
``packed`` rows are those of `rnnlab.kernels.plan`.

    projected                   (runs, batch, time, width)      mode PROJECTED: W_ih x + b_ih, ready made
    inputs                      (runs or 1, batch, time, features)   mode FEATURES; (runs or 1, batch, time) with SYMBOLS
    weight_ih, weight_hh        (runs, width, features), (runs, width, hidden)
    bias_ih, bias_hh            (runs, width)
    outputs, last               (runs, batch, time, hidden), 0 where nobody asks for them; (runs, batch, hidden); and d_outputs
                                (0: nothing came), d_last
    gates, d_gates              (packed, width)     what the gates were; their gradients before the activation
    previous, extra, d_inner    (packed, hidden)    the state before the step; see the cells
    packed_inputs, d_packed     (packed, features)  the inputs in the order of the plan; mode FEATURES
    d_weight_ih, ...            as the weights, but for ``stride``: so many numbers lie between a run's and the next one's
    shares                      (runs, shards, weights of a run) where a run has several shards: each writes its gradients here, in
                                the order of the weights, and the run's last adds them up
    finished                    (runs,) int64, zeros: how many shards of a run are done; backward only
"""

ELMAN, ELMAN_RELU, LSTM, GRU = 0, 1, 2, 3
PROJECTED, FEATURES, SYMBOLS = 0, 1, 2

# Sizes: NEXT and DONE count tasks, SGEMM is an address, INPUT_RUNS is 1 where all runs read the same; STRIDE is the backward pass's.
(
    NEXT, DONE, SGEMM, CELL, MODE, RUNS, BATCH, TIME, HIDDEN, WIDTH, SHARDS, PACKED, FEATURES_SIZE, INPUT_RUNS,
    WANTS_D_INPUTS, STRIDE,
) = range(16)  # fmt: skip
# Addresses: the plan's, those of both passes, the forward pass's, the backward pass's.
ORDER, BOUNDS, COUNTS, STARTS, LENGTHS = range(16, 21)
INPUTS, WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH, GATES, PREVIOUS, EXTRA, PACKED_INPUTS = range(21, 30)
OUTPUTS, LAST = range(30, 32)
(
    D_OUTPUTS, D_LAST, D_GATES, D_INNER, D_PACKED, SHARES, D_INPUTS, D_WEIGHT_IH, D_WEIGHT_HH, D_BIAS_IH, D_BIAS_HH, FINISHED,
) = range(32, 44)  # fmt: skip
LENGTH = 44
