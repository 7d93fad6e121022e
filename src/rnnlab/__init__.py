"""Train, compare, diagnose and serve recurrent networks on your own sequences."""

__version__ = "0.1.0"
