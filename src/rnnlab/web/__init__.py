"""Runs over HTTP: the service, and the page on top of it. Needs the extra ``rnnlab[web]``.

This room knows runs and what they answer. It trains nothing itself and opens no path that a client names.
"""
