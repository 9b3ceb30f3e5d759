"""`python -m sparkcore`."""

from __future__ import annotations

import sys

from sparkcore.cli import main

if __name__ == "__main__":
    sys.exit(main())
