"""The command line: one verb per file, each of which parses, calls and prints.

Exit codes: 0 done; 2 the input or the request is wrong, said in one line on stderr; 3 findings with ``--strict``; 130
interrupted, with what is done kept; 1 a bug, with a traceback. Verbs are imported when they are called, so that
``rnnlab --help`` does not wait for torch.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnlab import __version__

if TYPE_CHECKING:
    from cyclopts import App

VERBS = {
    "train": ("Train one model on your data.", "rnnlab train names/"),
    "compare": ("Compare cells on your data, and with baselines.", "rnnlab compare names/"),
    "sweep": (
        "Train a grid in stacks and map it.",
        "rnnlab sweep binary --lr 0.001,0.01 --hidden-size 8,16 --cell rnn,lstm",
    ),
    "backtest": (
        "Forecast the past as it would have been, fold by fold.",
        "rnnlab backtest sales --horizon 7 --folds 5",
    ),
    "predict": ("Ask a run: a prediction a line.", "rnnlab predict runs/names-gru Kowalski Rossi"),
    "runs": ("List the runs in a folder.", "rnnlab runs --task classify --sort accuracy"),
    "report": ("Put runs beside each other in a report.", "rnnlab report runs/names-gru runs/names-lstm"),
    "serve": ("Serve runs over HTTP: a page to touch, and an endpoint.", "rnnlab serve runs/names-gru --port 8080"),
    "verify": ("Train a run again and say whether it comes out the same.", "rnnlab verify runs/names-gru"),
    "lab": ("Run the lab: four studies on real data, answered in one report.", "rnnlab lab names sales --out results"),
    "data": ("List the built-in data, or write one of them as CSV.", "rnnlab data names --out names.csv"),
    "bench": ("Measure how fast training is here, beside torch.nn.", "rnnlab bench --cells lstm --threads 1"),
    "doctor": ("Examine a training and say what is wrong with it.", "rnnlab doctor my_module:factory --strict"),
    "notebooks": (
        "Write the lab as notebooks, to hand out or to work through.",
        "rnnlab notebooks lab --form question",
    ),
}


def application() -> "App":
    """Return the command line as an object, with every verb in it: to be called, or to be documented."""
    from cyclopts import App

    app = App(
        name="rnnlab",
        help="Train, compare, diagnose and serve recurrent networks on your own sequences.",
        version=__version__,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    for verb, (summary, example) in VERBS.items():
        app.command(f"rnnlab.cli.{verb}:{verb}", name=verb, help=f"{summary}\n\nFor example: {example}")
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; ``arguments`` are the process's own where None."""
    from cyclopts import CycloptsError

    try:
        return int(application()(list(sys.argv[1:] if arguments is None else arguments)) or 0)
    except CycloptsError as error:
        return _refuse(" ".join(str(error).split()))
    except KeyboardInterrupt:
        print("rnnlab: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        from rnnlab.errors import InputError

        if isinstance(error, InputError):
            return _refuse(str(error))
        raise


def _refuse(message: str) -> int:
    print(f"rnnlab: {message}", file=sys.stderr)
    return 2


def run() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(main())
