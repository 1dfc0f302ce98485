#!/usr/bin/env bash
# FFmpeg guesses the length of raw AAC (ADTS) from the bit rate of its first frames, and says so nowhere in PyAV's API.
#
# Seen with av 18.1.0 (libavformat 62.12.102): 24 s of sound, of which the first 21 s are silent, are said to be more than
# two minutes long; counting the packets gives 24.0 s. A reader that trusts `duration` refuses or pads such files, and
# `seek` by seconds lands elsewhere, as it uses the same guess. Fails when the guess becomes right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import av
import numpy as np

rate = 44100
samples = np.zeros(24 * rate, np.float32)
samples[21 * rate :] = 0.3 * np.random.default_rng(0).standard_normal(3 * rate)
with av.open("x.aac", "w", format="adts") as container:
    stream = container.add_stream("aac", rate=rate, layout="mono")
    for first in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, first
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
with av.open("x.aac") as container:
    said = container.duration / av.time_base
    stream = container.streams.audio[0]
    counted = float(sum(packet.duration or 0 for packet in container.demux(stream)) * stream.time_base)
print(f"av {av.__version__}: duration says {said:.1f} s, the packets are {counted:.2f} s")
assert abs(counted - 24) < 0.1 and said > 60, "the behaviour has changed"
PYTHON
