"""The web: a service that answers, and a page to touch. Needs ``pip install "rnnlab[web]"``."""
