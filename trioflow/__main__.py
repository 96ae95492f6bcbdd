"""`python -m trioflow` does what `trioflow` does."""

import sys

from trioflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
