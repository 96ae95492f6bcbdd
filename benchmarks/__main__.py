"""`python -m benchmarks` is `trioflow bench`."""

import sys

from trioflow.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
