"""Runs: what training leaves, on disk and in memory."""

from rnnlab.runs.environment import environment
from rnnlab.runs.files import to_json, write_whole
from rnnlab.runs.folder import load, save
from rnnlab.runs.outputs import model_outputs
from rnnlab.runs.run import Run, Status

__all__ = ["Run", "Status", "environment", "load", "model_outputs", "save", "to_json", "write_whole"]
