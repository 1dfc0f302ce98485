"""`motiongen serve`: what is wrong is said before the model is loaded, which takes seconds."""

import socket
import subprocess
import sys

import pytest

from motiongen.cli import main
from tests.core.inference.tiny import save_tiny


@pytest.fixture
def taken():
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def test_a_port_that_is_taken_is_one_line_before_torch_is_imported(taken):
    code = (
        f"import sys; from motiongen.cli import main; code = main(['serve', '--port', {taken!r}]);"
        "print(code, [name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "1 []\n"
    expected = (
        f"port: expected a free one, got 127.0.0.1:{taken}, where another program listens; give another port"
    )
    assert done.stderr == f"motiongen: error: {expected}\n"


def test_workers_are_started_on_a_port_that_is_free_only(taken, error_line):
    assert main(["serve", "--workers", "2", "--port", taken]) == 1
    assert f"port: expected a free one, got 127.0.0.1:{taken}" in error_line()


def test_what_workers_cannot_do_is_told_by_its_option(error_line):
    assert main(["serve", "--workers", "2", "--send", "osc://127.0.0.1:9000"]) == 2
    assert "send, vmc: expected none with --workers 2" in error_line()
    assert main(["serve", "--workers", "0"]) == 2
    assert "workers: expected 1 to 64, got 0" in error_line()
    assert main(["serve", "--threads", "65"]) == 2
    assert "threads: expected 1 to 64, got 65" in error_line()
    assert main(["serve", "--place", "256"]) == 2
    assert "place: expected 0..255, got 256" in error_line()


def test_a_host_that_is_not_here_is_one_line(error_line):
    words = ["serve", "--host", "192.0.2.1", "--token", "a long secret"]
    assert main(words) == 1
    assert "host: expected an address of this machine, got 192.0.2.1:8787" in error_line()


def test_a_port_of_clips_that_is_taken_is_told_before_models_are_loaded(taken, tmp_path, error_line):
    pytest.importorskip("motionmcp")
    words = ["serve", "--port", "0", "--mmcp", "--mmcp-port"]
    assert main([*words, taken, "--weights", str(tmp_path)]) == 1
    assert f"got 127.0.0.1:{taken}, where another program listens" in error_line()


def test_the_page_and_clips_want_two_ports(error_line):
    assert main(["serve", "--port", "8000", "--mmcp"]) == 2
    assert "mmcp-port: expected another port than the page's, got 8000; try 8001" in error_line()


def test_a_port_of_clips_wants_the_clips(error_line):
    assert main(["serve", "--mmcp-port", "8001"]) == 2
    assert "mmcp-port: expected --mmcp with it, got 8001 alone; add --mmcp" in error_line()


def test_characters_that_cannot_be_are_told_before_the_model_is_loaded(tmp_path, error_line):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hero.glb").write_bytes(b"glTF?")
    one, two = (str(tmp_path / folder / "hero.glb") for folder in ("a", "b"))
    assert main(["serve", "--character", one, "--character", two]) == 2
    assert "character: expected files of different names, got hero twice; rename one" in error_line()
    assert main(["serve", "--character-mapping", one]) == 2
    assert "character-mapping: expected one --character with it, got 0" in error_line()
    assert main(["serve", "--character", str(tmp_path / "none.glb")]) == 2
    assert "none.glb: no such file" in error_line()
    assert main(["serve", "--port", "0", "--character", one, "--weights", str(tmp_path)]) == 1
    assert f"{one}: expected a GLB header" in error_line()


def test_the_port_is_free_again_after_a_model_that_cannot_be_loaded(tmp_path, error_line):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    weights = save_tiny(tmp_path)
    (weights / "mogo" / "model.safetensors").write_bytes(b"")
    assert main(["serve", "--port", str(port), "--weights", str(weights)]) == 1
    assert "model.safetensors" in error_line()
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))
