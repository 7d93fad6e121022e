"""`rnnlab serve` on a disk that no large file fits on: ``python -m tests.web.small_disk FOLDER BYTES``."""

import resource
import sys

from rnnlab.cli import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    sys.exit(main(["serve", "--folder", sys.argv[1], "--port", "0"]))
