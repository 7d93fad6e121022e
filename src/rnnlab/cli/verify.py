"""``rnnlab verify``: train a run again, and say whether its figures come out the same, to the bit."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from rnnlab.training.verification import Verification, Verifying

EXIT_DIFFERENT = 3


def verify(
    run: Path,
    /,
    *,
    data: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Train a run again from what its folder says. Exit with 0 where all figures are the same, with 3 where they are not.

    The same bits are promised on the same machine, with the same versions and threads; where those differ, it is said.

    Args:
        run: a run folder.
        data: where the data are now, if not where they were.
        json: print {"same", "differences", "causes"}, and nothing else, on stdout.
    """
    from rnnlab.training.verification import Verifying

    verifying = Verifying(run, data=data)
    _train(verifying, quiet=json)
    result = verifying.result()
    if json:
        print(jsonlib.dumps(result.to_dict(), ensure_ascii=False))
    else:
        _say(run, verifying, result)
    return 0 if result.same else EXIT_DIFFERENT


def _train(verifying: "Verifying", *, quiet: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("training again", total=1.0)
        for step in verifying:
            progress.update(bar, completed=step.spent)


def _say(run: Path, verifying: "Verifying", result: "Verification") -> None:
    if result.same:
        beside = f"; trained beside {verifying.beside} others, as it was" if verifying.beside else ""
        print(
            f"{run}: the same to the bit ({len(verifying.run.weights):,} weights, all metrics, the whole history{beside})"
        )
    else:
        print(f"{run}: not the same")
        for difference in result.differences:
            print(f"  {difference}")
    for name, (then, now) in result.causes.items():
        print(f"  {name} was {then} and is {now}")
