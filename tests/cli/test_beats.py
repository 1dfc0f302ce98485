import json

import pytest
from PIL import Image

from motiongen.cli import main
from motiongen.music.audio import write_audio
from tests.core.music.clicks import click_music


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    write_audio(click_music(120.0, 8.0)[0], path)
    return path


def test_beats_are_printed_one_a_line(song, capsys):
    assert main(["beats", str(song)]) == 0
    tempo, count, *beats = capsys.readouterr().out.splitlines()
    assert tempo.startswith("tempo  1") and tempo.endswith(" BPM")
    assert count == f"beats  {len(beats)}"
    assert [float(beat) for beat in beats[1:4]] == pytest.approx([0.5, 1.0, 1.5], abs=0.05)


def test_beats_of_a_part_are_counted_from_the_beginning_of_the_file(song, capsys):
    assert main(["beats", str(song), "--from", "2.2", "--seconds", "5", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["bpm"], facts["seconds"]) == (pytest.approx(120, abs=1), 5.0)
    assert facts["beats"][0] == pytest.approx(2.5, abs=0.05)


@pytest.mark.slow  # matplotlib is imported
def test_beats_are_drawn(song, tmp_path):
    pytest.importorskip("matplotlib")
    assert main(["beats", str(song), "-o", str(tmp_path / "x.png")]) == 0
    with Image.open(tmp_path / "x.png") as image:
        assert image.width >= 1200 and len(image.convert("L").getcolors()) > 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song.wav", "x.png"]


def test_text_file_is_one_line(tmp_path, error_line):
    (tmp_path / "song.mp3").write_text("la la la\n")
    assert main(["beats", str(tmp_path / "song.mp3")]) == 1
    assert "song.mp3: expected a sound file" in error_line()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "x.jpg"], "known extensions: .png"),
        (["--from", "-1"], "from: expected 0 to"),
        (["--seconds", "0"], "seconds: expected 0 < S"),
    ],
)
def test_misuse_is_told_before_anything_is_read(song, error_line, options, message):
    assert main(["beats", str(song), *options]) == 2
    assert message in error_line()
