"""What can go wrong, and who has to act.

The tree::

    RnnlabError                  everything that rnnlab raises on purpose
    └── InputError (ValueError)  the input or the request is wrong; the command line exits with 2
        ├── DataError            a file, a column, a value: the message names file, line and column
        ├── ConfigError          an option: the message names the option, the rule and the choices
        ├── RunFolderError       a run folder that is damaged, foreign or of another version
        ├── OutputError          a place that cannot be written
        └── MissingExtraError    an optional dependency is absent; the message says how to install it

Every message is one line that reads *name must rule, got value; do this*. Anything else that escapes is
a bug and shows a traceback.
"""

import difflib
from collections.abc import Iterable


class RnnlabError(Exception):
    """Base of every error that rnnlab raises on purpose."""


class InputError(RnnlabError, ValueError):
    """The input or the request is wrong; its message is one line with the way out."""


class DataError(InputError):
    """A file, a column or a value breaks a rule."""


class ConfigError(InputError):
    """An option has a value that it must not have."""


class RunFolderError(InputError):
    """A run folder is damaged, foreign, or written by another version."""


class OutputError(InputError):
    """A file or folder cannot be written."""


class MissingExtraError(InputError):
    """An optional dependency is not installed."""


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return ``one of a, b, c (nearest: b)``: the choices of an option, and the nearest to what was typed.

    Example:
        >>> suggest("lstn", ["elman", "gru", "lstm"])
        'one of elman, gru, lstm (nearest: lstm)'
    """
    options = sorted(choices)
    listed = ", ".join(options[:20]) + (f", ... ({len(options)} in all)" if len(options) > 20 else "")
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    return f"one of {listed}" + (f" (nearest: {near[0]})" if near else "")
