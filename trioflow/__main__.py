"""`python -m trioflow` is the command line."""

from trioflow.cli import main

if __name__ == "__main__":
    main()
