import wave

import av
import numpy as np
import pytest

from motiongen.music import audio as sound
from motiongen.music.audio import Audio, SoundTrack, probe_seconds, read_audio, write_audio
from motiongen.render.video import write_mp4

RATE = 22050


def click_at(seconds, length=3.0, rate=RATE):
    """A tone that stops for a loud burst of 5 ms."""
    samples = 0.1 * np.sin(2 * np.pi * 220 * np.arange(int(length * rate)) / rate)
    first = int(seconds * rate)
    samples[first : first + rate // 200] = 0.8 * (-1.0) ** np.arange(rate // 200)
    return Audio(samples.astype(np.float32), rate)


def found_click(audio):
    return int((np.abs(audio.samples) > 0.25).argmax()) / audio.sample_rate


def write_wave(path, frames, *, channels=2, width=2, rate=44100):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
@pytest.mark.parametrize("start", [0.0, 1.7])
def test_what_is_written_is_read_at_its_place(tmp_path, extension, start):
    path = tmp_path / f"x{extension}"
    write_audio(click_at(2.0), path)
    read = read_audio(path, start=start)
    assert found_click(read) == pytest.approx(2.0 - start, abs=0.01)
    assert read.seconds == pytest.approx(3.0 - start, abs=0.06)
    assert probe_seconds(path) == pytest.approx(3.0, abs=0.06)


def test_wav_comes_back_sample_for_sample(tmp_path):
    audio = click_at(0.5)
    write_audio(audio, tmp_path / "x.wav")
    read = read_audio(tmp_path / "x.wav", start=0.25, seconds=0.5)
    assert len(read.samples) == RATE // 2
    np.testing.assert_allclose(read.samples, audio.samples[RATE // 4 :][: RATE // 2], atol=2e-4)


def test_channels_are_averaged(tmp_path):
    frames = np.tile(np.array([[8192, -8192], [16384, 0]], dtype="<i2"), (22050, 1))
    write_wave(tmp_path / "x.wav", frames.tobytes())
    samples = read_audio(tmp_path / "x.wav", sample_rate=44100).samples
    np.testing.assert_allclose(samples, np.tile([0.0, 0.25], 22050), atol=1e-6)


def test_24_bits_at_96_khz_are_resampled(tmp_path):
    loud = np.round(np.sin(2 * np.pi * 1000 * np.arange(96000) / 96000) * 0.5 * 2**23).astype("<i4")
    frames = loud.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    write_wave(tmp_path / "x.wav", frames, channels=1, width=3, rate=96000)
    read = read_audio(tmp_path / "x.wav")
    assert (len(read.samples), read.sample_rate) == (RATE, RATE)
    assert np.sqrt(2) * read.samples[2000:-2000].std() == pytest.approx(0.5, abs=0.01)


def test_sound_of_a_video_is_read(tmp_path):
    pictures = [np.zeros((32, 64, 3), dtype=np.uint8)] * 60
    write_mp4(pictures, tmp_path / "x.mp4", (64, 32), 30.0, click_at(1.0))
    assert found_click(read_audio(tmp_path / "x.mp4")) == pytest.approx(1.0, abs=0.01)


def test_part_of_an_endless_file_is_read_at_once(tmp_path):
    with (tmp_path / "x.wav").open("wb") as file:  # three hours, sparse: nothing but a header is stored
        with wave.open(file, "wb") as header:
            header.setnchannels(1)
            header.setsampwidth(2)
            header.setframerate(4000)
            header.setnframes(3 * 3600 * 4000)
            header.writeframes(b"\0\0")
        sizes = 3 * 3600 * 4000 * 2
    raw = bytearray((tmp_path / "x.wav").read_bytes())
    raw[4:8], raw[40:44] = (sizes + 36).to_bytes(4, "little"), sizes.to_bytes(4, "little")
    with (tmp_path / "x.wav").open("wb") as file:
        file.write(raw)
        file.truncate(44 + sizes)
    assert probe_seconds(tmp_path / "x.wav") == 3 * 3600
    assert read_audio(tmp_path / "x.wav", start=2.5 * 3600, seconds=2).seconds == 2
    with pytest.raises(
        ValueError, match=r"x\.wav: music: expected at most 60 min, got 3:00:00; choose a part with --from"
    ):
        read_audio(tmp_path / "x.wav")


def write_film(path, sound, late):
    """A film of gray pictures, whose sound begins late."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=30)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        track = container.add_stream("aac", rate=48000, layout="mono", format="fltp")
        encoder = SoundTrack(track, sound.sample_rate, begin=late)
        for index in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
            frame.pts = index
            container.mux(pictures.encode(frame))
        container.mux([*pictures.encode(None), *encoder.encode(sound.samples), *encoder.finish()])


@pytest.mark.parametrize("extension", [".mkv", ".mp4"])
@pytest.mark.parametrize("start", [0.0, 1.2, 2.0])
def test_sound_that_begins_late_has_silence_before_it(tmp_path, extension, start):
    write_film(tmp_path / f"x{extension}", click_at(1.0), late=1.5)
    read = read_audio(tmp_path / f"x{extension}", start=start)
    assert found_click(read) == pytest.approx(2.5 - start, abs=0.01)
    assert not read.samples[: max(round((1.4 - start) * RATE), 0)].any()
    assert probe_seconds(tmp_path / f"x{extension}") == pytest.approx(4.5, abs=0.05)


def write_quiet_then_loud(path, form, **options):
    """A file without times, whose bit rate at first says little of its length: silence, a click at 20 s, noise."""
    samples = np.zeros(24 * RATE, np.float32)
    samples[20 * RATE :][:110] = 0.9
    samples[21 * RATE :] = 0.3 * np.random.default_rng(0).standard_normal(3 * RATE)
    with av.open(
        str(path), "w", format=form, options={"write_xing": "0"} if form == "mp3" else {}
    ) as container:
        stream = container.add_stream(
            "aac" if form == "adts" else "libmp3lame", rate=44100, layout="mono", format="fltp"
        )
        stream.codec_context.options = options
        encoder = SoundTrack(stream, RATE)
        container.mux([*encoder.encode(samples), *encoder.finish()])


@pytest.mark.parametrize(("name", "form"), [("x.aac", "adts"), ("x.mp3", "mp3")])
def test_length_is_what_can_be_decoded_and_not_what_is_guessed(tmp_path, monkeypatch, name, form):
    write_quiet_then_loud(
        tmp_path / name, form, **({"flags": "+qscale", "global_quality": "0"} if form == "mp3" else {})
    )
    with av.open(str(tmp_path / name)) as container:
        guess = container.duration / av.time_base
    assert abs(guess - 24) > 0.5  # else the file does not show what it should
    assert probe_seconds(tmp_path / name) == pytest.approx(24, abs=0.15)
    monkeypatch.setattr(sound, "MAX_SECONDS", 25.0)  # which the guess for AAC is beyond
    assert read_audio(tmp_path / name).seconds == pytest.approx(24, abs=0.15)
    assert found_click(read_audio(tmp_path / name, start=19.0)) == pytest.approx(1.0, abs=0.06)
    with pytest.raises(ValueError, match=r"got 25 s where it ends at 0:24; begin sooner"):
        read_audio(tmp_path / name, start=25.0)


def test_file_that_hides_its_length_is_bounded_too(tmp_path, monkeypatch):
    write_quiet_then_loud(tmp_path / "x.mp3", "mp3", b="320k")
    monkeypatch.setattr(sound, "MAX_SECONDS", 10.0)
    with pytest.raises(ValueError, match="got 0:24; choose a part"):
        read_audio(tmp_path / "x.mp3")


@pytest.mark.parametrize("content", [b"la la la\n" * 50, b"", b"\0" * 4000])
def test_what_is_no_sound_is_one_line(tmp_path, content):
    (tmp_path / "song.mp3").write_bytes(content)
    for read in (read_audio, probe_seconds):
        with pytest.raises(
            ValueError, match=r"song\.mp3: expected .*sound.*, got .*; check the file"
        ) as caught:
            read(tmp_path / "song.mp3")
        assert "\n" not in str(caught.value)


def test_silent_film_has_no_sound(tmp_path):
    write_mp4([np.zeros((32, 64, 3), dtype=np.uint8)] * 3, tmp_path / "x.mp4", (64, 32), 30.0)
    with pytest.raises(ValueError, match=r"x\.mp4: expected sound, got a video without any; choose"):
        read_audio(tmp_path / "x.mp4")


def test_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.wav: expected a sound file, got no such file"):
        read_audio(tmp_path / "no.wav")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 60.0}, r"x\.wav: expected to begin before the music ends, got 60 s where it ends at 0:03"),
        ({"start": -1.0}, "start: expected 0 to"),
        ({"start": float("nan")}, "start: expected 0 to"),
        ({"seconds": 0.0}, "seconds: expected more than 0"),
        ({"seconds": 4000.0}, "at most 3600"),
    ],
)
def test_impossible_parts_are_refused(tmp_path, options, message):
    write_audio(click_at(0.5), tmp_path / "x.wav")
    with pytest.raises(ValueError, match=message):
        read_audio(tmp_path / "x.wav", **options)


def test_damage_in_the_middle_is_left_out(tmp_path):
    write_audio(click_at(2.0), tmp_path / "x.mp3")
    raw = bytearray((tmp_path / "x.mp3").read_bytes())
    raw[len(raw) // 3 : len(raw) // 3 + 300] = bytes(300)
    (tmp_path / "x.mp3").write_bytes(raw)
    assert read_audio(tmp_path / "x.mp3").seconds > 2.5


def test_nothing_is_left_of_a_failed_write(tmp_path):
    with pytest.raises(ValueError, match=r"x\.txt: expected one of \.wav, "):
        write_audio(click_at(0.5), tmp_path / "x.txt")
    broken = Audio(np.array(["no sound"]), RATE)
    with pytest.raises(TypeError):
        write_audio(broken, tmp_path / "x.wav")
    assert list(tmp_path.iterdir()) == []


def test_audio_is_mono_at_a_possible_rate():
    with pytest.raises(ValueError, match=r"audio: expected samples \(S,\)"):
        Audio(np.zeros((2, 100), np.float32), RATE)
