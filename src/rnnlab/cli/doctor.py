"""``rnnlab doctor``: somebody's program, or a run folder, examined; what was found, worst first.

The program runs in a process of its own, so that one that hangs, prints or ends the process does no harm. Only the module
that is named is imported, with the current folder on the path.
"""

import importlib
import inspect
import json as jsonlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rnnlab.cli.findings import count_findings, print_findings, strict_code
from rnnlab.errors import ConfigError, InputError, suggest
from rnnlab.findings import Finding, Findings

EXPECTED = (
    "def factory() with no arguments, returning an object with model, optimizer, loss, inputs, targets (and lengths, forward, "
    "validation where it has them)"
)
PATIENCE = 120.0  # seconds for starting Python and torch on a busy machine


def doctor(
    target: str,
    /,
    *,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    seconds: float = 10.0,
    timeout: float = 60.0,
    data: str | None = None,
) -> int:
    """Examine a training and say what is wrong with it.

    Args:
        target: module:factory, where factory() returns an object with model, optimizer, loss, inputs and targets; or a run folder.
        strict: exit with 3 where there is an error or a warning.
        json: print the findings as JSON, and nothing else, on stdout.
        seconds: of examination at most.
        timeout: seconds that importing the module and calling factory() may take.
        data: of a run folder, where its data are now. [default: where they were]
    """
    if not (seconds > 0 and timeout > 0):
        raise ConfigError(f"--seconds and --timeout must be above 0, got {seconds:g} and {timeout:g}; leave them out")
    began = time.perf_counter()
    if _is_folder(target):
        from rnnlab.doctor import diagnose_run

        findings = diagnose_run(target, data=data, seconds=seconds)
    elif data is not None:
        raise ConfigError(f"--data must come with a run folder, got {target}; the factory brings its own data")
    else:
        findings = diagnose_program(target, seconds, timeout)
    if json:
        print(jsonlib.dumps({"findings": [finding.to_dict() for finding in findings]}, ensure_ascii=False))
    else:
        print_findings(findings)
        print(f"{target}: {count_findings(findings) or 'nothing found'} ({time.perf_counter() - began:.1f} s)")
    return strict_code(findings, strict)


def _is_folder(target: str) -> bool:
    if Path(target).is_dir():
        return True
    module, colon, factory = target.partition(":")
    if colon and factory.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        return False
    raise ConfigError(
        f"target must be a run folder or module:factory, got {target!r}; write my_training:factory for my_training.py"
    )


def diagnose_program(target: str, seconds: float = 10.0, timeout: float = 60.0) -> Findings:
    """Return what is wrong with the program of ``module:factory``, examined in a process of its own.

    Raises:
        InputError: the module, the factory or what it returns is not as it has to be, or does not come to an end.
    """
    with tempfile.TemporaryDirectory(prefix="rnnlab-doctor-") as folder:
        answer = Path(folder) / "answer.json"
        # -P: the user's folder is put on the path after torch and rnnlab are imported, so that it cannot replace them
        command = [sys.executable, "-P", "-m", "rnnlab.cli.doctor", target, str(seconds), str(answer)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=_stderr())
        try:
            _wait(process, target, answer, seconds, timeout)
        finally:
            process.kill()
            process.wait()
        if not answer.exists():
            raise InputError(
                f"{target} must return, got a process that ended with exit code {process.returncode}; it must be {EXPECTED}"
            )
        said = jsonlib.loads(answer.read_text())
    if "refused" in said:
        raise InputError(said["refused"])
    if "traceback" in said:
        raise RuntimeError(f"the examination itself failed:\n{said['traceback']}")
    return Findings(Finding(**finding) for finding in said["findings"])


def _stderr() -> Any:
    """Return where the program's own prints go: to stderr, since stdout is for findings."""
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):
        return subprocess.DEVNULL


def _wait(process: "subprocess.Popen[bytes]", target: str, answer: Path, seconds: float, timeout: float) -> None:
    """Wait for the child, which says when it has started and when the factory has returned: each has its own time."""
    stages = [
        (answer.with_suffix(".started"), PATIENCE, "Python and torch must start, got no end; try again on a machine that is less busy"),
        (answer.with_suffix(".built"), timeout, f"{target} must return within {timeout:g} s, got no end; pass --timeout, it must be {EXPECTED}"),
        (answer, 3 * seconds + 10, "forward and loss must come to an end, got none; call the model on a few inputs by itself first"),
    ]  # fmt: skip
    for sign, limit, message in stages:
        until = time.monotonic() + limit
        while not sign.exists():
            try:
                process.wait(0.05)
                return
            except subprocess.TimeoutExpired:
                if time.monotonic() > until:
                    raise InputError(message) from None


# What the child does.


def build(target: str) -> Any:
    """Return what the user's factory returns.

    Raises:
        InputError: anything that goes wrong in the user's module or factory.
    """
    module_name, _, name = target.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise InputError(
                f"module {module_name!r} must be in this folder or installed, got neither; see the name and the folder"
            ) from None
        raise InputError(
            f"module {module_name!r} must import, got {_where(error)}; install or mend that first"
        ) from None
    except BaseException as error:
        raise InputError(f"module {module_name!r} must import, got {_where(error)}; mend that first") from None
    factory = getattr(module, name, None)
    if factory is None:
        others = [
            key
            for key, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise InputError(
            f"{module_name} must have a function {suggest(name, others)}, got {name!r}; it must be {EXPECTED}"
        )
    if not callable(factory):
        raise InputError(f"{target} must be a function, got {type(factory).__name__}; it must be {EXPECTED}")
    try:
        inspect.signature(factory).bind()
    except TypeError:
        raise InputError(
            f"{target} must take no arguments, got {name}{inspect.signature(factory)}; it must be {EXPECTED}"
        ) from None
    except ValueError:
        pass  # no signature to look at
    try:
        return factory()
    except BaseException as error:
        raise InputError(f"{target} must return, got {_where(error)}; it must be {EXPECTED}") from None


def _where(error: BaseException) -> str:
    """Return an exception in one line, with the file and line of the user's code that raised it."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(": ")
    if isinstance(error, SyntaxError):
        return said
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(os.getcwd())]
    last = own[-1] if own else (frames[-1] if frames else None)
    return (
        said
        if last is None or last.filename == __file__
        else f"{said} ({Path(last.filename).name}, line {last.lineno})"
    )


def _child(target: str, seconds: float, answer: Path) -> None:
    """Build and examine a program, and write what came of it to ``answer``, whole or not at all."""
    from rnnlab.doctor import diagnose

    try:
        answer.with_suffix(".started").touch()
        subject = build(target)
        answer.with_suffix(".built").touch()
        said: dict[str, Any] = {"findings": [finding.to_dict() for finding in diagnose(subject, seconds=seconds)]}
    except InputError as error:
        said = {"refused": str(error)}
    except Exception:
        said = {"traceback": traceback.format_exc()}
    temporary = answer.with_suffix(".part")
    temporary.write_text(jsonlib.dumps(said))
    temporary.replace(answer)
    sys.stdout.flush()
    os._exit(0)  # threads and exit functions that the program left behind do not matter any more


if __name__ == "__main__":
    _child(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
