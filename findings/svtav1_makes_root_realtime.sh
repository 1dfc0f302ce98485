#!/usr/bin/env bash
# PyAV 18.1.0's AV1 encoder (SVT-AV1) makes the thread that opens it real-time when root runs it, and leaves it so.
#
# Input: five frames of 64 x 64 into an MP4, by libsvtav1, the codec that robot data sets are recorded with, and by libx264.
# Seen, as root (as in most containers): from the first frame on, and after the file is closed, the thread that encodes is
# SCHED_FIFO at priority 99. Threads and processes that it starts later inherit it: whatever they compute, the rest of the
# machine waits for. libx264 leaves the thread as it was, and so does libsvtav1 for a user who may not do this.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root: others may not become real-time"; exit 0; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import os, sys
import av
import numpy as np

seen = {}
usual = os.sched_getscheduler(0), os.sched_getparam(0)
for codec in ("libx264", "libsvtav1"):
    with av.open(os.path.join(sys.argv[1], codec + ".mp4"), "w") as file:
        stream = file.add_stream(codec, rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for shade in range(5):
            picture = np.full((64, 64, 3), 40 * shade, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    seen[codec] = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    print("av", av.__version__, codec, "policy after the file was closed:", seen[codec][0], "priority:", seen[codec][1], flush=True)
    os.sched_setscheduler(0, *usual)
sys.exit(seen != {"libx264": (os.SCHED_OTHER, 0), "libsvtav1": (os.SCHED_FIFO, 99)})
PY
"$work/venv/bin/python" "$work/run.py" "$work" 2>/dev/null || { echo "PyAV has changed"; exit 1; }
