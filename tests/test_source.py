"""Files are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from codemod.source import read, reason, write


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "file.py"
    path.write_bytes(b"before\r\n")
    return path


def test_a_file_is_read_byte_for_byte(file: Path) -> None:
    assert read("file.py") == b"before\r\n"


def test_a_file_is_replaced(file: Path) -> None:
    write("file.py", before=b"before\r\n", after=b"after\r\n")
    assert file.read_bytes() == b"after\r\n"
    assert os.listdir() == ["file.py"]


def test_a_file_that_does_not_change_is_not_written(file: Path) -> None:
    earlier = file.stat()
    write("file.py", before=b"before\r\n", after=b"before\r\n")
    assert file.stat() == earlier


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_the_mode_is_kept(file: Path, mode: int) -> None:
    file.chmod(mode)
    write("file.py", before=b"before\r\n", after=b"after")
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away"
)
def test_the_owner_is_kept(file: Path) -> None:
    os.chown(file, 1234, 4321)
    write("file.py", before=b"before\r\n", after=b"after")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_a_symbolic_link_stays_and_its_target_is_replaced(file: Path) -> None:
    link = file.parent / "inner" / "link.py"
    link.parent.mkdir()
    link.symlink_to("../file.py")
    write("inner/link.py", before=b"before\r\n", after=b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"
    assert not file.is_symlink()
    assert os.listdir("inner") == ["link.py"]


def test_a_file_that_somebody_else_changed_is_left_to_them(file: Path) -> None:
    with pytest.raises(OSError, match="changed by somebody else"):
        write("file.py", before=b"earlier", after=b"after")
    assert file.read_bytes() == b"before\r\n"


def test_a_file_that_vanished_is_not_made_again(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write("file.py", before=b"before", after=b"after")
    assert os.listdir() == []


def test_a_read_only_file_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="the file is read-only"):
        write("file.py", before=b"before\r\n", after=b"after")
    assert file.read_bytes() == b"before\r\n"


def test_a_folder_that_takes_no_new_file_is_an_error_in_words(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> tuple[int, str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError) as raised:
        write("file.py", before=b"before\r\n", after=b"after")
    assert reason(raised.value) == ("the file cannot be replaced in its folder: Permission denied")
    assert raised.value.filename == "file.py"
    assert file.read_bytes() == b"before\r\n"


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_a_failure_on_the_way_leaves_the_file_and_nothing_else(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left on device"):
        write("file.py", before=b"before\r\n", after=b"after")
    assert file.read_bytes() == b"before\r\n"
    assert os.listdir() == ["file.py"]


def test_an_interrupt_on_the_way_leaves_the_file_and_nothing_else(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write("file.py", before=b"before\r\n", after=b"after")
    assert file.read_bytes() == b"before\r\n"
    assert os.listdir() == ["file.py"]


def test_the_reason_of_an_error_is_in_words_even_without_a_number() -> None:
    assert reason(OSError("what happened")) == "what happened"
    assert reason(OSError()) == "OSError"
