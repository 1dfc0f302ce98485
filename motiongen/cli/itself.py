"""The command line again, as another process."""

import os
import sys


def command() -> list[str]:
    """Return the words that run motiongen as this process runs it.

    `python -m` imports what lies in the working folder before all else: a `random.py` beside an avatar that was
    downloaded would be run. It is kept from that, unless this process imports from that folder, too.
    """
    here = os.path.realpath(os.curdir)
    is_imported = any(os.path.realpath(entry or os.curdir) == here for entry in sys.path)
    return [sys.executable, *([] if is_imported else ["-P"]), "-m", "motiongen"]
