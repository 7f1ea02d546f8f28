"""The bytes of a file: read whole, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence

from codemod.model import Change


def read(path: str) -> bytes:
    """Return the content of the file at ``path``.

    Raises:
        OSError: If the file cannot be read.
    """
    with open(path, "rb") as file:
        return file.read()


def is_notebook(path: str) -> bool:
    """Tell by its name whether a file is a notebook."""
    return path.lower().endswith(".ipynb")


def reason(error: OSError) -> str:
    """Return in words, without the path, why a file could not be read or written."""
    return error.strerror or str(error) or type(error).__name__


def write(path: str, *, before: bytes, after: bytes) -> None:
    """Replace ``before`` by ``after`` in the file at ``path``, whole or not at all.

    The new content goes to a temporary file next to the target, which then takes the target's
    place in one step. The mode and, where the user may set it, the owner are kept. A symbolic
    link stays one: its target is replaced.

    Args:
        path: The file.
        before: What the file held when ``after`` was made from it. A file that holds something
            else by now was changed by somebody else and is left to them.
        after: What the file shall hold. Nothing is written if this equals ``before``.

    Raises:
        OSError: If the file cannot be replaced. It is then as it was, and no temporary file is
            left. The ``strerror`` is a whole sentence for the user.
    """
    if after == before:
        return
    # The temporary file has to be in the folder of the real file: only there is `replace` atomic.
    target = os.path.realpath(path)
    if read(target) != before:
        raise OSError(errno.EBUSY, "the file was changed by somebody else in the meantime", path)
    if not os.access(target, os.W_OK):
        # Replacing would succeed wherever the folder is writable, but somebody said "read-only".
        raise PermissionError(errno.EACCES, "the file is read-only", path)
    try:
        _replace(target, after)
    except OSError as error:
        sentence = f"the file cannot be replaced in its folder: {reason(error)}"
        raise OSError(error.errno or errno.EIO, sentence, path) from error


def write_together(changes: Sequence[Change]) -> None:
    """Replace the content of several files: all of them or none.

    Raises:
        OSError: If one cannot be replaced, which is its ``filename``. Those that were are then as
            they had been.
    """
    with contextlib.ExitStack() as undo:
        for change in changes:
            try:
                write(change.path, before=change.before, after=change.after)
            except OSError as error:
                raise OSError(error.errno or errno.EIO, reason(error), change.path) from error
            undo.callback(_put_back, change)
        undo.pop_all()


def _put_back(change: Change) -> None:
    with contextlib.suppress(OSError):
        write(change.path, before=change.after, after=change.before)


def _replace(target: str, content: bytes) -> None:
    # Costs as much to import as ten files take to search, and most runs write nothing.
    import tempfile

    status = os.stat(target)
    descriptor, temporary = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=".async-inline-", suffix=".tmp"
    )
    with contextlib.ExitStack() as undo:
        undo.callback(_remove, temporary)
        with open(descriptor, "wb") as file:
            file.write(content)
        _copy_owner_and_mode(status, temporary)
        os.replace(temporary, target)
        undo.pop_all()


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _copy_owner_and_mode(status: os.stat_result, path: str) -> None:
    made = os.stat(path)
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        # In a container, root often edits somebody else's checkout. Who is not root may not give
        # files away; the file is then owned by who ran the tool, as with any editor.
        with contextlib.suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)
    # After the owner, because changing the owner clears the set-user-ID bits.
    os.chmod(path, stat.S_IMODE(status.st_mode))
