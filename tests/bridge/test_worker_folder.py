"""The folder that the processes of a server share, and what is left of it after a kill."""

import os
import tempfile

import pytest

pytest.importorskip("fcntl")
from motiongen_bridge.peers import BOARD, MOVED
from motiongen_bridge.worker_folder import forget_moved, make_folder, remove_left_over


def test_a_folder_is_removed_once_nobody_holds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, lock = make_folder()
    (folder / BOARD).write_bytes(b"")
    inherited = os.dup(lock)  # as a process has it that was started
    assert folder.stat().st_mode & 0o077 == 0
    os.close(lock)
    remove_left_over()
    assert folder.is_dir()
    os.close(inherited)
    remove_left_over()
    assert not folder.exists()


def test_nothing_but_such_a_folder_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / BOARD).write_bytes(b"")
    (tmp_path / "motiongen-serve-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "motiongen-serve-file").write_bytes(b"")
    (tmp_path / "motiongen-serve-new").mkdir()  # one that is about to be locked
    os.mkfifo(tmp_path / "motiongen-serve-pipe")
    before = sorted(tmp_path.rglob("*"))
    remove_left_over()
    assert sorted(tmp_path.rglob("*")) == before


def test_who_had_moved_to_a_process_that_died_is_forgotten(tmp_path):
    (tmp_path / MOVED).mkdir()
    for name, worker in (("one", 1), ("two", 0), ("three", 11)):
        (tmp_path / MOVED / name).write_text(str(worker))
    forget_moved(tmp_path, 1)
    assert sorted(note.name for note in (tmp_path / MOVED).iterdir()) == ["three", "two"]
