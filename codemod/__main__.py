"""The process: ``async-inline`` and ``python -m codemod``."""

import sys

from codemod.garbage import collect_rarely


def main() -> int:
    """Run the command line with the arguments of the process and return the exit code."""
    collect_rarely()
    # Already importing makes many objects.
    from codemod import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
