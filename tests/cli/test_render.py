import pytest
from PIL import Image

from motiongen.cli import main


@pytest.mark.slow
def test_sheet_has_the_size_that_was_asked(clip, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert main(["render", str(clip), "-o", str(sheet), "--size", "640", "240", "--caption", "a turn"]) == 0
    assert capsys.readouterr().out == f"{sheet}\n"
    assert Image.open(sheet).size == (640, 240)


@pytest.mark.slow
def test_video_has_every_frame_of_the_clip(clip, tmp_path):
    import av

    assert main(["render", str(clip), "-o", str(tmp_path / "a.mp4"), "--size", "160", "90"]) == 0
    with av.open(tmp_path / "a.mp4") as video:
        assert sum(1 for _ in video.decode(video=0)) == 30


def test_motion_file_is_no_picture(clip, tmp_path, error_line):
    assert main(["render", str(clip), "-o", str(tmp_path / "b.bvh")]) == 2
    assert "known extensions: .mp4 .webm .gif .png" in error_line()
