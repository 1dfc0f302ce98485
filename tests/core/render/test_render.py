import hashlib

import av
import numpy as np
import pytest
from PIL import Image

from motiongen.music.audio import Audio
from motiongen.render import render

SMALL = {"size": (64, 48), "display": "software"}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["x.mp4", "x.gif", "x.png"])
def test_same_motion_same_bytes(tmp_path, motion, name):
    size = {"size": (240, 120)} if name == "x.png" else {}
    digests = set()
    for _ in range(2):
        render(motion, tmp_path / name, captions="rise", **{**SMALL, **size})
        digests.add(digest(tmp_path / name))
    assert len(digests) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_character_is_in_the_middle_and_darker_than_the_air(tmp_path, motion):
    render(motion, tmp_path / "x.mp4", **SMALL)
    with av.open(str(tmp_path / "x.mp4")) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == 6
    assert frames[0][20:30, 28:36].min() + 25 < frames[0][2:6, 2:6].min()


def test_film_sounds_and_other_pictures_do_not_mind(tmp_path, motion):
    audio = Audio(np.full(22050, 0.1, dtype=np.float32), 22050)
    for name in ("x.mp4", "x.gif"):
        render(motion, tmp_path / name, audio=audio, **SMALL)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert float(
            container.streams.audio[0].duration * container.streams.audio[0].time_base
        ) == pytest.approx(motion.seconds, abs=0.05)


def test_sheet_without_a_size_is_1600_wide(tmp_path, motion):
    render(
        motion,
        tmp_path / "x.png",
        captions=[(0, 0.1, "rise"), (0.1, 0.2, "and stay")],
        poses=2,
        display="software",
    )
    with Image.open(tmp_path / "x.png") as image:
        assert image.width == 1600
        assert 300 < image.height < 1200


def test_any_skeleton_is_drawn(tmp_path, chain):
    render(chain, tmp_path / "x.png", size=(240, 160), display="software")
    with Image.open(tmp_path / "x.png") as image:
        assert np.asarray(image)[:, :, 0].min() < 150


def test_several_share_a_picture(tmp_path, motion, chain):
    render([motion, chain], tmp_path / "x.mp4", **SMALL)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 6


def test_fast_capture_is_drawn_at_30_and_gif_in_whole_hundredths(tmp_path, motion):
    fast = motion.resample(120.0)
    render(fast, tmp_path / "x.mp4", **SMALL)
    render(fast, tmp_path / "x.gif", **SMALL)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].average_rate == 30
    with Image.open(tmp_path / "x.gif") as image:
        assert image.info["duration"] == 40


def test_odd_size_becomes_even_for_video(tmp_path, motion):
    render(motion[:1], tmp_path / "x.mp4", size=(65, 49), display="software")
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)


def test_progress_counts_to_the_end(tmp_path, motion):
    calls = []
    render(motion, tmp_path / "x.mp4", progress=lambda done, total: calls.append((done, total)), **SMALL)
    assert calls == [(i + 1, 6) for i in range(6)]


def test_interrupted_render_leaves_nothing(tmp_path, motion):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(motion, tmp_path / "x.mp4", progress=stop, **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("x.avi", {}, "expected one of .mp4, .webm, .gif, .png, got .avi"),
        ("x", {}, "got no extension"),
        ("missing/x.mp4", {}, "expected an existing folder"),
        ("x.mp4", {"size": (8, 8)}, "expected width and height of 16 to 4096 pixels"),
        ("x.mp4", {"fps": 0.0}, "expected 1 to 240 frames a second, got 0.0"),
        ("x.png", {"poses": 0}, "poses: expected at least 1, got 0"),
    ],
)
def test_misuse_is_one_line(tmp_path, motion, name, options, message):
    with pytest.raises(ValueError, match=message):
        render(motion, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []
