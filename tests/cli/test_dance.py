import av
import numpy as np
import pytest
import torch

from motiongen import Motion
from motiongen.cli import main
from motiongen.music.audio import Audio, write_audio
from tests.core.inference.test_dance import clicks
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(save_tiny(tmp_path_factory.mktemp("weights")))


@pytest.fixture
def song(tmp_path):
    write_audio(clicks(3.0), tmp_path / "song.wav")
    return tmp_path / "song.wav"


@pytest.mark.slow
def test_a_song_becomes_a_video_with_its_sound_and_a_file(song, weights, tmp_path, capsys):
    video, file = tmp_path / "dance.mp4", tmp_path / "dance.bvh"
    command = ["dance", str(song), "--weights", weights, "--steps", "2", "--size", "160", "96"]
    assert main([*command, "-o", str(video), "-o", str(file)]) == 0
    assert capsys.readouterr().out.split() == [str(video), str(file)]
    assert Motion.load(file).seconds == pytest.approx(3.0, abs=0.05)
    with av.open(str(video)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}


def test_a_part_of_a_song_and_several_dances(song, weights, tmp_path, capsys):
    command = ["dance", str(song), "--weights", weights, "--steps", "2", "--from", "1", "--seconds", "1.5"]
    assert main([*command, "--count", "2", "--space", "motion", "-o", str(tmp_path / "d.npz")]) == 0
    first, second = (Motion.load(tmp_path / f"d-{i}.npz") for i in (1, 2))
    assert first.num_frames == 45 and not torch.equal(first.rotations, second.rotations)


@pytest.mark.parametrize("verb", ["dance", "edit", "serve"])
def test_an_unknown_style_is_refused_before_anything_is_heard_or_loaded(verb, weights, tmp_path, error_line):
    noise, out = tmp_path / "noise.wav", str(tmp_path / "a.npz")
    noise.write_bytes(b"this is no sound")
    wobble(30).save(tmp_path / "clip.npz")
    command = {
        "dance": ["dance", str(noise), "-o", out],
        "edit": ["edit", str(tmp_path / "clip.npz"), "--music", str(noise), "--after", "0.5", "-o", out],
        "serve": ["serve", "--head", "badm", "--port", "0"],
    }[verb]
    assert main([*command, "--style", "hiphop", "--weights", weights]) == 2
    assert "style: expected one of ballet, salsa, got 'hiphop'" in error_line()


def test_a_span_of_a_clip_is_danced_anew(song, weights, tmp_path):
    motion = wobble(90)
    motion.save(tmp_path / "clip.npz")
    command = ["edit", str(tmp_path / "clip.npz"), "--music", str(song), "--between", "1:2"]
    assert main([*command, "--weights", weights, "--steps", "2", "-o", str(tmp_path / "new.npz")]) == 0
    edited = Motion.load(tmp_path / "new.npz")
    assert torch.equal(edited.root[60:], motion.root[60:]) and edited.num_frames == 90


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["dance", "SONG", "-o", "OUT/d.bvh", "--style", "tango"], "style: expected one of ballet, salsa", 2),
        (["dance", "SONG", "-o", "OUT/d.bvh", "--from", "9"], "expected", 1),
        (["dance", "SONG", "-o", "OUT/d.bvh", "--seconds", "0"], "seconds: expected 0 < S", 2),
        (["dance", "SONG", "-o", "OUT/d.xyz"], "cannot write d.xyz", 2),
        (["dance", "OUT/none.wav", "-o", "OUT/d.bvh"], "none.wav", 2),
        (
            ["edit", "OUT/clip.npz", "-o", "OUT/d.bvh", "--between", "0:1"],
            "expected a sentence or --music",
            2,
        ),
        (["edit", "OUT/clip.npz", "a bow", "--joints", "upper", "-o", "OUT/d.bvh"], "expected --music", 2),
        (["edit", "OUT/clip.npz", "--music", "SONG", "-o", "OUT/d.bvh"], "span: expected one of", 2),
    ],
)
def test_mistakes_get_one_line_and_write_nothing(words, message, code, song, weights, tmp_path, error_line):
    wobble(60).save(tmp_path / "clip.npz")
    there = sorted(tmp_path.iterdir())
    filled = [word.replace("SONG", str(song)).replace("OUT", str(tmp_path)) for word in words]
    assert main([*filled, "--weights", weights]) == code
    assert message in error_line()
    assert sorted(tmp_path.iterdir()) == there


def test_a_text_that_is_named_like_a_song_gets_one_line(weights, tmp_path, error_line):
    (tmp_path / "lyrics.mp3").write_text("la la la\n" * 50)
    assert (
        main(["dance", str(tmp_path / "lyrics.mp3"), "-o", str(tmp_path / "d.bvh"), "--weights", weights])
        == 1
    )
    assert "expected a sound file" in error_line()


@pytest.mark.parametrize("seconds", [0.2, 2.0])
def test_silence_and_noise_are_danced_to_all_the_same(seconds, weights, tmp_path):
    rng = np.random.default_rng(0)
    for level in (0.0, 0.3):
        samples = (rng.standard_normal(int(22050 * seconds)) * level).astype(np.float32)
        write_audio(Audio(samples, 22050), tmp_path / "noise.wav")
        out = tmp_path / "d.npz"
        assert (
            main(["dance", str(tmp_path / "noise.wav"), "-o", str(out), "--weights", weights, "--steps", "2"])
            == 0
        )
        assert Motion.load(out).seconds == pytest.approx(seconds, abs=0.04)
