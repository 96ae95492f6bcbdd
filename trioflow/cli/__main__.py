"""`python -m trioflow.cli` does what `trioflow` does."""

import sys

from trioflow.cli import main

sys.exit(main())
