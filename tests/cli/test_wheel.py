"""The wheel as its users have it, built without Node after a stopped build: the README runs, in its order."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path

import pytest

from motiongen.music.audio import write_audio
from tests.core.music.clicks import click_music

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKED = (
    "motiongen",
    "bridge",
    "sim",
    "datasets",
    "assets",
    "setup.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "NOTICE",
)
LEFT_OUT = shutil.ignore_patterns("node_modules", "viewer", "__pycache__", "*.egg-info")
SHORTER = {
    "--episodes 1000": "--episodes 4",
    "--episodes 100": "--episodes 2",
    "--minutes 45": "--steps 2 --tokenizer-steps 2 --encoder-steps 2 --batch-size 4 --encoder-batch-size 4",
    "--workers 2": "--workers 1",
    "motiongen serve": "motiongen serve --port 0",
}
"""What takes the README's commands long, and what the test says instead."""
NEEDS = {"drive g1": "example_robot_data", "rollout": "pybullet", "demos": "pybullet", "drive": "pybullet"}
PUBLISHED = "ws://127.0.0.1:8787"


def environment(**more):
    """The variables of a user's shell, where nothing of the checkout is on a path."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MOTIONGEN_VIEWER")
    }
    return {**kept, **more}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel, and what its build said."""
    tree = tmp_path_factory.mktemp("tree")
    for name in PACKED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tree / name, **({"ignore": LEFT_OUT} if copy is shutil.copytree else {}))
    for left in (
        "lib/motiongen/__init__.py",
        "lib/motiongen/gone.py",
        "bdist.linux-x86_64/wheel/motiongen/half.py",
    ):
        path = tree / "build" / left  # newer than its source, as a copy that was stopped is
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('half a file')\n")
    tools = tmp_path_factory.mktemp("tools")  # all that a build needs, and no Node
    (tools / "python3").symlink_to(sys.executable)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-v",
        "--no-deps",
        "--wheel-dir",
        str(tree / "dist"),
        str(tree),
    ]
    done = subprocess.run(
        command, env=environment(PATH=str(tools)), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (wheel,) = (tree / "dist").glob("*.whl")
    return wheel, done.stdout + done.stderr


@pytest.mark.slow
def test_wheel_holds_the_songs_and_nothing_of_a_stopped_build(built):
    wheel, said = built
    assert "the web viewer was not built: Node is not there" in said
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        assert packed.read("motiongen/__init__.py") == (ROOT / "motiongen" / "__init__.py").read_bytes()
    assert not [name for name in names if "half.py" in name or "gone.py" in name or "/viewer/" in name]
    data = [path for path in (ROOT / "assets" / "motiongen_assets").rglob("*") if path.is_file()]
    shipped = {str(path.relative_to(ROOT / "assets")) for path in data if path.suffix not in (".py", ".pyc")}
    assert shipped <= set(names)


@pytest.fixture(scope="module")
def user(built, tmp_path_factory):
    """The folder of a user's environment that has the wheel, and the packages of this one."""
    home = tmp_path_factory.mktemp("user")
    venv.create(home / ".venv", symlinks=True)
    (site,) = (home / ".venv").glob("lib/python*/site-packages")
    # A path file gives the dependencies without an installation, and adds no motiongen: editable ones have their own.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(home / ".venv/bin/python"),
        "install",
        "--no-deps",
        "--quiet",
    ]
    subprocess.run([*command, str(built[0])], env=environment(), check=True, timeout=300)
    return home


def examples():
    """The README's commands and Python blocks, in its order."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE):
        if language == "python":
            yield "python", block
        else:
            yield from (
                ("shell", line)
                for line in block.splitlines()
                if line.startswith((".venv/bin/motiongen ", "echo "))
            )


def lacking(command):
    """The package that a command needs and this environment does not have, or None."""
    package = next((package for words, package in NEEDS.items() if f"motiongen {words}" in command), None)
    return package if package and importlib.util.find_spec(package) is None else None


def test_what_is_shortened_is_in_the_readme():
    assert [words for words in SHORTER if words not in README] == []


@pytest.mark.slow
def test_every_example_of_the_readme_runs_from_the_wheel_in_its_order(user):
    write_audio(click_music(120.0, 12.0)[0], user / "song.mp3")  # your own music
    figure = ROOT / "assets/motiongen_assets/body/mannequin.glb"
    shutil.copy(figure, user / "avatar.vrm")  # your own character
    server, url, ran = None, "", 0
    try:
        for kind, example in examples():
            if lacking(example):
                continue
            for long, short in SHORTER.items():
                example = example.replace(long, short)
            words = shlex.split(example) if kind == "shell" else [".venv/bin/python", "-c"]
            if words[0] == "echo":
                words = ["bash", "-c", example]
            if words[1] == "serve":
                with (user / "address").open("w") as address:
                    server = subprocess.Popen(words, cwd=user, env=environment(), stdout=address)
                url = waited_for(user / "address")
                continue
            if kind == "python":
                words.append(example.replace(PUBLISHED, url))
            done = subprocess.run(
                words, cwd=user, env=environment(), capture_output=True, text=True, timeout=900, check=False
            )
            assert done.returncode == 0, f"{example}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
            ran += 1
    finally:
        if server is not None:
            server.terminate()
            server.wait(30)
    made = {path.name for path in user.iterdir()}
    assert {
        "walk.mp4",
        "walk.npz",
        "bow.mp4",
        "shot.mp4",
        "dance.mp4",
        "dance.bvh",
        "new.bvh",
        "dance.glb",
        "take.bvh",
        "wave.glb",
    } <= made
    assert ran >= 9


def waited_for(address):
    """The address that a server prints, as a websocket's."""
    for _ in range(600):
        if (text := address.read_text().strip()).startswith("http"):
            return text.split()[0].replace("http", "ws", 1).rstrip("/")
        time.sleep(0.1)
    raise AssertionError("the server printed no address")
