"""Runs: what training leaves, on disk and in memory."""

from rnnlab.runs.environment import environment
from rnnlab.runs.files import to_json, write_whole
from rnnlab.runs.folder import load, save
from rnnlab.runs.run import Run, Status, model_outputs

__all__ = ["Run", "Status", "environment", "load", "model_outputs", "save", "to_json", "write_whole"]
