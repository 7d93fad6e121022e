"""Imported by the server that workers are forked from: what every worker needs, loaded once and shared.

Objects that live as long as the process are taken out of the collector's sight, so that a collection in a worker does not
write to the pages that it shares.
"""

import atexit
import gc

import sklearn.feature_extraction.text
import sklearn.linear_model
import sklearn.metrics  # noqa: F401

from rnnlab.kernels import prepare

prepare()
gc.collect()
gc.freeze()
# At its end the server frees all that it holds, as any process does; bound libraries complain otherwise.
atexit.register(gc.unfreeze)
