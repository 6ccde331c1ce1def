"""`python -m gitops` is the command `gitops`."""

import sys

from gitops.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
