"""Lists in one text, as a flag or a field of a form holds them: parts with commas between, quoted as a CSV file quotes its cells.

a,b,c          three parts
"a, b",c       two: the first has a comma in it
"5"" pipe",c   a quote inside quotes is written twice
"""

import re
from collections.abc import Iterable

from rnnlab.errors import ConfigError

# A quoted part, or one without quotes around it, and the comma or the end behind it.
_PART = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>(?!\s*")[^,]*))\s*(?:,|\Z)')


def parts(text: str) -> tuple[str, ...]:
    """Return the parts of a text; blanks around them are no part of them, and empty ones without quotes are passed over.

    Raises:
        ConfigError: a quote that is not closed, or something between a closing quote and the comma.

    Example:
        >>> parts('"a, b", c')
        ('a, b', 'c')
    """
    found, at = [], 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise ConfigError(
                f"a quoted name must end with a quote and a comma, got {text[at : at + 60]!r}; "
                'write "a, b",c, and a quote inside quotes twice'
            )
        if match["quoted"] is not None:
            found.append(match["quoted"].replace('""', '"'))
        elif match["plain"].strip():
            found.append(match["plain"].strip())
        at = match.end()
    return tuple(found)


def joined(names: Iterable[str]) -> str:
    """Return the text whose `parts` are ``names``; only those are quoted that must be.

    Example:
        >>> joined(["a, b", "c"])
        '"a, b",c'
    """
    return ",".join('"{}"'.format(name.replace('"', '""')) if _must_be_quoted(name) else name for name in names)


def quotes(text: str) -> bool:
    """Return whether a part of ``text`` is quoted."""
    return re.search(r'(^|,)\s*"', text) is not None


def _must_be_quoted(name: str) -> bool:
    return not name or name != name.strip() or "," in name or name.startswith('"')
