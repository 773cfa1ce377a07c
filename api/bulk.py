"""`python -m api.bulk`: bulk scoring by its name of the first release, which scripts still use."""

import sys

from api.commands.bulk.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
