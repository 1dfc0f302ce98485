"""Atomic writes: whole or not at all, modes and links kept, and nothing left over after the next write."""

import errno
import os
import subprocess
import sys

import pytest

from motiongen.atomic import AtomicFolder, atomic_folder, atomic_path, atomic_paths, part_of

KILLED = """
import os, signal, sys
from motiongen.atomic import atomic_folder, atomic_path
with atomic_path(sys.argv[1]) as part, atomic_folder(sys.argv[2], replace=True) as folder:
    part.write_text("half")
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_fail(path, error):
    path.write_text("new")
    raise error


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "a.txt") as part:
        write_and_fail(part, KeyboardInterrupt)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_set_is_renamed_only_when_all_are_written(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(ValueError), atomic_paths(tmp_path / "a", tmp_path / "b") as (a, _):
        write_and_fail(a, ValueError)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]


def test_modes_are_kept_and_links_followed(tmp_path):
    (tmp_path / "real").mkdir()
    target = tmp_path / "real/a.txt"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link.txt").symlink_to(target)
    with atomic_path(tmp_path / "link.txt") as part:
        part.write_text("new")
    assert (tmp_path / "link.txt").is_symlink() and target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_killed_write_leaves_the_old_and_the_next_one_cleans_up(tmp_path):
    file, folder = tmp_path / "a.txt", tmp_path / "set"
    file.write_text("old")
    folder.mkdir()
    (folder / "old").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file), str(folder)], check=False, timeout=60)
    assert done.returncode == -9
    assert part_of(file).read_text() == "half" and part_of(folder).is_dir()
    assert file.read_text() == "old" and [p.name for p in folder.iterdir()] == ["old"]
    with atomic_path(file) as part, atomic_folder(folder, replace=True) as new:
        part.write_text("new")
        (new / "new").write_text("new")
    assert file.read_text() == "new" and [p.name for p in folder.iterdir()] == ["new"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "set"]


def test_two_writers_do_not_meet(tmp_path):
    with atomic_path(tmp_path / "a.txt") as one, atomic_path(tmp_path / "a.txt") as two:
        one.write_text("one")
        two.write_text("two")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "one")]
    first, second = AtomicFolder(tmp_path / "set"), AtomicFolder(tmp_path / "set")
    (first.part / "one").write_text("one")
    (second.part / "two").write_text("two")
    first.commit()
    with pytest.raises(ValueError, match="set: expected nothing there"):
        second.commit()
    assert [p.name for p in (tmp_path / "set").iterdir()] == ["one"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "set"]


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as caught, atomic_path(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "a.txt") and caught.value.errno == errno.ENOSPC


def test_folders_and_devices_are_no_files(tmp_path):
    for path in (tmp_path, "/dev/null"):
        with pytest.raises(ValueError, match="expected a file to write"), atomic_path(path):
            pass
    with pytest.raises(FileNotFoundError, match="expected an existing folder"), atomic_path(tmp_path / "a/b"):
        pass


def test_what_is_there_is_replaced_only_on_demand(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/old").write_text("old")
    with pytest.raises(ValueError, match="set: expected nothing there"), atomic_folder(tmp_path / "set"):
        pass
    with pytest.raises(KeyError), atomic_folder(tmp_path / "set", replace=True) as part:
        write_and_fail(part / "new", KeyError)
    assert [p.name for p in (tmp_path / "set").iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
