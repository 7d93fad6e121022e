"""A job: the sizes and addresses that a compiled driver works from, as one array of integers.

Here is the order of its fields, for the side that fills it in (`rnnlab.kernels.passes`) and the one that reads it
(`rnnlab.kernels.steps`). Arrays are contiguous, but for the weights and their gradients, whose runs are the given ``strides`` apart;
float32, but for the plan and symbols (int64). ``width`` is gates * hidden; ``row`` is as much as a step's states take in outputs, where
two directions may stand side by side; ``packed`` rows are those of `rnnlab.kernels.plan`.

    projected                   (runs, batch, time, width)      mode PROJECTED: W_ih x + b_ih, ready made
    inputs                      (runs or 1, batch, time, features)   mode FEATURES; (runs or 1, batch, time) with SYMBOLS
    weight_ih, weight_hh        (runs, width, features), (runs, width, hidden)
    bias_ih, bias_hh            (runs, width)
    outputs, read               (runs, batch, time, row), 0 where nobody asks for them; (runs, batch, row); and d_outputs, d_read, 0
                                where nothing came
    winners                     (runs, batch, hidden): the step of the largest value of a unit, as float32; readout LARGEST
    gates, d_gates              (packed, width)     what the gates were; their gradients before the activation
    previous, extra, d_inner    (packed, hidden)    the state before the step; see the cells
    packed_inputs, d_packed     (packed, features)  the inputs in the order of the plan; mode FEATURES
    d_weight_ih, ...            as the weights
    shares                      (runs, shards, weights of a run) where a run has several shards: each writes its gradients here, in
                                the order of the weights, and the run's last adds them up
    finished                    (runs,) int64, zeros: how many shards of a run are done; backward only
"""

ELMAN, ELMAN_RELU, LSTM, GRU = 0, 1, 2, 3
PROJECTED, FEATURES, SYMBOLS = 0, 1, 2
LAST_STATE, MEAN, LARGEST = 0, 1, 2

# Sizes: NEXT and DONE count tasks, SGEMM is an address, INPUT_RUNS is 1 where all runs read the same.
(
    NEXT, DONE, SGEMM, CELL, MODE, RUNS, BATCH, TIME, HIDDEN, WIDTH, SHARDS, PACKED, FEATURES_SIZE, INPUT_RUNS,
    REVERSE, READOUT, ROW, WANTS_D_INPUTS,
) = range(18)  # fmt: skip
# Addresses: the plan's; those of both passes; the weights' with their strides; the forward pass's; the backward pass's.
ORDER, BOUNDS, COUNTS, STARTS, LENGTHS = range(18, 23)
GATES, PREVIOUS, EXTRA, PACKED_INPUTS, WINNERS = range(23, 28)
WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH = range(28, 32)
WEIGHT_STRIDES = 32  # and the three behind it
INPUTS, OUTPUTS, READ = range(36, 39)
D_OUTPUTS, D_READ, D_GATES, D_INNER, D_PACKED, SHARES, FINISHED, D_INPUTS = range(39, 47)
D_WEIGHT_IH, D_WEIGHT_HH, D_BIAS_IH, D_BIAS_HH = range(47, 51)
GRADIENT_STRIDES = 51  # and the three behind it
LENGTH = 55
