"""How many processors there are to share the work."""

from __future__ import annotations

import os


def available() -> int:
    """Return how many processors this process may use, which can be fewer than there are."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        count: int | None = os.process_cpu_count()
        return count or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
