import numpy as np
import pytest

from motiongen.render.caption import CaptionTrack, font, panel, timed, wrap


def test_lines_fit_the_width():
    lines = wrap("a person walks forward and then waves with the right hand", 120, 14)
    assert len(lines) == 3
    assert all(font(14).getlength(line) <= 120 for line in lines)


def test_ten_thousand_words_end_in_an_ellipsis():
    lines = wrap("walk " * 10_000, 300, 14)
    assert len(lines) == 3
    assert lines[-1].endswith("…")


def test_word_longer_than_a_line_is_broken():
    lines = wrap("x" * 60, 100, 14, max_lines=9)
    assert "".join(lines) == "x" * 60
    assert all(font(14).getlength(line) <= 100 for line in lines)


def test_endless_word_is_cut_soon():
    lines = wrap("w" * 3000, 55, 9)
    assert lines[-1].endswith("…") and all(font(9).getlength(line) <= 55 for line in lines)


def test_one_text_holds_for_the_whole_clip():
    assert timed("  walk \n on ", 2.5) == [(0.0, 2.5, "walk on")]
    assert timed(None, 2.5) == timed("  ", 2.5) == []


def test_caption_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match=r"expected start < end, got 2\.0 to 1\.0"):
        timed([(2.0, 1.0, "walk")], 3.0)


def test_caption_shows_only_in_its_time():
    track = CaptionTrack([(1.0, 2.0, "walk")], (160, 90))
    pictures = [np.zeros((90, 160, 3), dtype=np.uint8) for _ in range(3)]
    for time, picture in zip((0.5, 1.0, 2.0), pictures, strict=True):
        track.draw(picture, time)
    assert [bool(picture.any()) for picture in pictures] == [False, True, False]


def test_panel_lies_inside_the_picture_and_under_the_foot():
    overlay = panel("walk " * 50, (160, 90))
    assert overlay.row >= 0
    assert overlay.row + overlay.colour.shape[0] <= 90
    assert CaptionTrack([(0, 1, "walk")], (640, 360)).foot == pytest.approx(
        1 - panel("walk", (640, 360)).row / 360
    )


def test_panel_over_white_stays_light():
    picture = np.full((90, 160, 3), 255, dtype=np.uint8)
    panel("walk", (160, 90)).draw(picture)
    assert picture.max() == 255
    assert picture.min() < 120  # the letters
