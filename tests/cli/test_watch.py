"""`motiongen watch` against the real server, in a thread of its own, over loopback sockets."""

import os
import signal
import threading
import time

import pytest
import torch

from motiongen import Motion, load
from motiongen.cli import UsageError, main
from motiongen.cli.watch import split
from motiongen.skeleton import SMPL22
from motiongen.streaming.prompt_plan import IDLE
from tests.bridge.serving import serving
from tests.core.inference.tiny import save_tiny

NOBODY = "ws://127.0.0.1:9"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


@pytest.fixture(scope="module")
def url(model):
    """Address of a server that is ten times as fast as life."""
    with serving(model, speed=10.0) as server:
        yield server.url


def when_it_streams(server, act):
    """Call `act` from a thread once a character of the server has walked half a second."""

    def wait():
        while not any(live.character.taken > 15 for live in list(server.broadcaster.characters.values())):
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def facts(text):
    """Return the lines of the summary by name."""
    return {line[:16].strip(): line[17:] for line in text.splitlines() if line[16:17] == " "}


def test_a_recording_is_as_long_as_asked_in_every_format(url, tmp_path, capsys):
    outputs = [str(tmp_path / name) for name in ("walk.bvh", "walk.npz", "walk.glb")]
    options = [word for path in outputs for word in ("-o", path)]
    assert main(["watch", url, "a person walks", "--seconds", "2", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == outputs
    bvh, npz, glb = map(Motion.load, outputs)
    assert [clip.num_frames for clip in (bvh, npz, glb)] == [60, 60, 60] and npz.fps == 30
    assert npz.skeleton is SMPL22 and bvh.skeleton.names == SMPL22.names
    torch.testing.assert_close(bvh.positions(), npz.positions(), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_ten_seconds_are_recorded_unless_told_otherwise(url, tmp_path):
    assert main(["watch", url, "a person walks", "-o", str(tmp_path / "walk.npz")]) == 0
    assert Motion.load(tmp_path / "walk.npz").num_frames == 300


def test_the_summary_says_what_came(url, capsys):
    assert main(["watch", url, "a person walks", "--seconds", "1"]) == 0
    said = facts(capsys.readouterr().out)
    assert (said["frames"], said["left out"], said["obeyed"]) == ("30", "0", "0.0 s  a person walks")
    assert said["first obeying"].startswith("after ") and "late" in said
    assert float(said["frames a second"]) > 0 and float(said["metres walked"]) > 0


@pytest.mark.slow
def test_then_is_obeyed_in_order(tmp_path, capsys):
    hasty = load("mogo", save_tiny(tmp_path), "cpu")
    torch.nn.init.constant_(hasty.head.end_out.bias, 1000.0)  # every motion ends as soon as it may
    then = ["--then", "a person bows", "--then", "a person jumps"]
    with serving(hasty, speed=10.0) as server:
        assert main(["watch", server.url, "a person walks", *then, "--seconds", "10"]) == 0
    _, obeyed = capsys.readouterr().out.split("obeyed")
    starts, texts = zip(*(line.split(" s  ") for line in obeyed.strip().splitlines()), strict=True)
    told = [text for text in texts if text != IDLE]  # it idles where one has ended before the next is said
    assert told == ["a person walks", "a person bows", "a person jumps"]
    assert [float(start) for start in starts] == sorted(float(start) for start in starts)


def test_what_did_not_begin_in_time_is_said(url, capsys):
    options = ["--then", "a person bows", "--then", "a person jumps", "--seconds", "0.1"]
    assert main(["watch", url, "a person walks", *options]) == 0
    assert facts(capsys.readouterr().out)["not begun"] == "the last 2 of 3 prompts"


@pytest.mark.slow
def test_a_picture_is_drawn_under_its_captions(url, tmp_path):
    out = tmp_path / "walk.png"
    assert main(["watch", url, "a person walks", "--then", "bow", "--seconds", "1", "-o", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_ends_it_cleanly(model, tmp_path, capsys):
    out = tmp_path / "walk.npz"
    with serving(model) as server:
        killer = when_it_streams(server, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert main(["watch", server.url, "a person walks", "--seconds", "60", "-o", str(out)]) == 0
        killer.join(60)
    assert capsys.readouterr().out.endswith(f"{out}\n")
    assert 15 <= Motion.load(out).num_frames < 300


def test_a_server_that_goes_leaves_what_was_recorded_and_one_line(model, tmp_path, error_line):
    out, codes = tmp_path / "walk.npz", []
    with serving(model) as server:
        argv = ["watch", server.url, "a person walks", "--seconds", "60", "-o", str(out)]
        watcher = threading.Thread(target=lambda: codes.append(main(argv)))
        watcher.start()
        when_it_streams(server, lambda: None).join()
    watcher.join(60)
    assert codes == [1] and "the server stopped, and its characters are gone" in error_line()
    assert 15 <= Motion.load(out).num_frames < 300


def test_a_terminal_sees_how_the_stream_comes(url, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["watch", url, "a person [walks]", "--seconds", "6"]) == 0
    shown = capsys.readouterr().err
    assert "a person [walks]" in shown and "frames/s" in shown and "●" in shown


def test_a_token_is_taken_from_the_environment(model, monkeypatch, error_line):
    with serving(model, token="open sesame") as server:
        watch = ["watch", server.url, "a person walks", "--seconds", "0.2"]
        assert main(watch) == 1
        assert "expected the server's token, got none" in error_line()
        assert main([*watch, "--token", "not this one"]) == 1
        assert "got another" in error_line()
        monkeypatch.setenv("MOTIONGEN_TOKEN", "open sesame")
        assert main(watch) == 0


def test_nobody_listening_is_one_line(tmp_path, error_line):
    assert main(["watch", NOBODY, "a person walks", "-o", str(tmp_path / "walk.npz")]) == 1
    assert "ws://127.0.0.1:9/ws: expected a server, nobody listens there" in error_line()
    assert not list(tmp_path.iterdir())


def test_a_full_server_is_one_line(model, error_line):
    with serving(model, max_characters=1) as server:
        server.scheduler.open(prompt="a person walks")
        assert main(["watch", server.url, "a person walks"]) == 1
    assert "expected at most 1 characters; try again later" in error_line()


def test_what_the_server_refuses_is_one_line(url, error_line):
    assert main(["watch", url, "x" * 501]) == 1
    assert "500" in error_line()
    assert main(["watch", url, "a person walks", "--then", "x" * 501]) == 1
    assert "500" in error_line()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "prompt: expected a sentence, got none"),
        ([NOBODY], "prompt: expected a sentence, got none"),
        (["walk", "bow"], "prompt: expected one sentence, got 2; quote it"),
        ([NOBODY, " "], "prompt: expected words"),
        ([NOBODY, "walk", "--then", ""], "prompt: expected words"),
        ([NOBODY, "walk", "-o", "walk.doc"], "cannot write walk.doc"),
        ([NOBODY, "walk", "walk.bvh"], "expected one sentence, got 2"),
        ([NOBODY, "walk", "--seconds", "0"], "seconds: expected 0 < S"),
        (["ws://here:port", "walk"], "url: expected ws://HOST:PORT"),
    ],
)
def test_misuse_is_refused_before_connecting(words, message, error_line):
    assert main(["watch", *words]) == 2
    assert message in error_line()


@pytest.mark.parametrize(
    "url", ["ws://here:8787/ws", "wss://here", "http://[::1]:8787/", "https://here/", "here:8787", "[::1]:87"]
)
def test_an_address_comes_first(url):
    assert split([url, "walk"]) == (url, ("walk",))


@pytest.mark.parametrize(
    "prompt", ["walk", "walk: fast", "walk:fast", "http: a person asks", "at 10:30 wave"]
)
def test_a_prompt_is_no_address(prompt):
    assert split([prompt]) == ("", (prompt,))
    with pytest.raises(UsageError, match="got 2"):
        split([prompt, "walk"])
