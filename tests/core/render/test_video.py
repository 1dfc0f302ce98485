import threading

import av
import numpy as np
import pytest
from PIL import Image

from motiongen.music.audio import Audio
from motiongen.render.video import draw_and_write, shrink, write_gif, write_mp4, write_webm


def ramp(count=5, size=(64, 32)):
    return [np.full((size[1], size[0], 3), 40 * i, dtype=np.uint8) for i in range(count)]


def test_mp4_holds_every_frame_at_its_rate(tmp_path):
    write_mp4(ramp(), tmp_path / "x.mp4", (64, 32), 29.97)
    with av.open(str(tmp_path / "x.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (stream.codec_context.pix_fmt, float(stream.average_rate)) == ("yuv420p", pytest.approx(29.97))
    assert [round(frame.mean() / 40) for frame in frames] == [0, 1, 2, 3, 4]
    assert frames[0].shape == (32, 64, 3)


def test_webm_holds_every_frame_and_no_codec_that_needs_a_licence(tmp_path):
    write_webm(ramp(), tmp_path / "x.webm", (64, 32), 30.0, click_at_one(2.0, 22050))
    with av.open(str(tmp_path / "x.webm")) as container:
        codecs = [stream.codec_context.name for stream in container.streams]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert codecs in (["vp9", "opus"], ["vp9", "libopus"], ["libvpx-vp9", "libopus"])
    assert [round(frame.mean() / 40) for frame in frames] == [0, 1, 2, 3, 4]


def test_mp4_starts_with_its_index(tmp_path):
    write_mp4(ramp(), tmp_path / "x.mp4", (64, 32), 30.0)
    raw = (tmp_path / "x.mp4").read_bytes()
    assert 0 < raw.index(b"moov") < raw.index(b"mdat")


def click_at_one(seconds, rate):
    samples = np.zeros(round(seconds * rate), dtype=np.float32)
    samples[rate : rate + rate // 100] = 0.8 * (-1.0) ** np.arange(rate // 100)
    return Audio(samples, rate)


def decoded_sound(path):
    """The sound of a video as its player plays it: samples, and the time of the first."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.audio[0]))
    samples = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    return samples, frames[0].time, frames[0].sample_rate


@pytest.mark.parametrize("write", [write_mp4, write_webm])
@pytest.mark.parametrize(("rate", "fps"), [(22050, 30.0), (44100, 29.97), (15360, 60.0)])
def test_video_sounds_in_time_and_as_long_as_its_pictures(tmp_path, write, rate, fps):
    write(ramp() * round(2 * fps / 5), tmp_path / "x", (64, 32), fps, click_at_one(5.0, rate))
    samples, begin, own = decoded_sound(tmp_path / "x")
    assert begin + len(samples) / own == pytest.approx(2.0, abs=0.05)
    assert begin + int((abs(samples) > 0.2).argmax()) / own == pytest.approx(1.0, abs=0.03)


def test_short_sound_ends_before_the_pictures(tmp_path):
    write_mp4(ramp() * 12, tmp_path / "x.mp4", (64, 32), 30.0, click_at_one(1.2, 22050))
    samples, begin, own = decoded_sound(tmp_path / "x.mp4")
    assert begin + len(samples) / own == pytest.approx(1.2, abs=0.05)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 60


def test_sound_and_pictures_lie_side_by_side(tmp_path):
    write_mp4(ramp() * 60, tmp_path / "x.mp4", (64, 32), 30.0, click_at_one(10.0, 22050))
    with av.open(str(tmp_path / "x.mp4")) as container:
        last = {"video": 0.0, "audio": 0.0}
        for packet in container.demux():
            if packet.dts is not None:
                last[packet.stream.type] = float(packet.dts * packet.time_base)
                assert abs(last["video"] - last["audio"]) < 2.5


def test_gif_loops_with_its_delay(tmp_path):
    write_gif(ramp(), tmp_path / "x.gif", ramp(), delay=4)
    with Image.open(tmp_path / "x.gif") as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (5, 40, 0)


def test_shrink_takes_means_and_swaps_blue_and_red():
    picture = np.zeros((4, 4, 4), dtype=np.uint8)
    picture[:2, :2] = [10, 20, 30, 0]
    picture[0, 0] = [50, 20, 30, 0]
    np.testing.assert_array_equal(shrink(picture, 2)[0, 0], [30, 20, 20])
    assert shrink(picture, 1).shape == (4, 4, 3)


def test_items_are_made_here_and_written_elsewhere():
    threads, taken = [], []

    def write(items):
        threads.append(threading.current_thread())
        taken.extend(items)

    draw_and_write(iter(range(20)), write)
    assert taken == list(range(20))
    assert threads != [threading.current_thread()]


def test_failed_writer_stops_the_drawing():
    def write(items):
        next(items)
        raise OSError("disk full")

    drawn = []
    with pytest.raises(OSError, match="disk full"):
        draw_and_write((drawn.append(i) or i for i in range(10_000)), write)
    assert len(drawn) < 10_000


def test_failed_drawing_stops_the_writer():
    def items():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_and_write(items(), list)
