"""How often the process looks for garbage in cycles: hardly ever, for it makes next to none."""

from __future__ import annotations

import atexit
import gc

#: After how many new objects, and how many such times, garbage is looked for.
_COLLECTIONS = (1_000_000, 10, 10)


def collect_rarely() -> None:
    """Look for garbage in cycles less often than usual, and not at the end of the process.

    Syntax trees are millions of objects without cycles, and classes and functions stay: both are
    looked through again and again otherwise, and everything once more before the process ends.
    """
    gc.set_threshold(*_COLLECTIONS)
    atexit.register(gc.freeze)
