"""A module of checks a notebook: each takes what a student wrote and says whether it is right, in words."""
