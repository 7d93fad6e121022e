"""``python -m rnnlab``: the command line."""

from rnnlab.cli import run

run()
