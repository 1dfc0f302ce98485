"""The viewer in a headless Chromium, on a real server with a small random model."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from motiongen import Motion
from motiongen.skeleton import SMPL22
from tests.bridge import avatars, chromium, viewer_page
from tests.bridge import viewer_requirements as requirements
from tests.bridge.serving import serving
from tests.bridge.viewer_page import CHARACTER, SIZE

pytestmark = pytest.mark.slow
WEB = requirements.WEB


@pytest.fixture(scope="module")
def server(model):
    with serving(model, max_characters=16) as server:
        yield server


def joints(page, n=0) -> dict[str, np.ndarray]:
    return {name: np.array(at) for name, at in page.value(f"motiongen.jointPositions({n})").items()}


def drawn_and_expected(page) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draw the pose of this moment, and return where its joints are and where forward kinematics puts them."""
    root, rotations = page.value(
        f"""(() => {{
            const one = {CHARACTER}, pose = one.remote.sample();
            one.figure.apply(pose, 0);
            one.group.updateMatrixWorld(true);
            motiongen.drawn = motiongen.jointPositions(0);
            return [[...pose.root], [...pose.rotations]];
        }})()"""
    )
    places = SMPL22.fk(torch.tensor(rotations).view(22, 4), torch.tensor(root))[1].numpy()
    drawn = {name: np.array(at) for name, at in page.value("motiongen.drawn").items()}
    return drawn, dict(zip(SMPL22.names, places, strict=True))


def say(page, text: str, *, shift: bool = False) -> None:
    page.press("/")
    page.type(text)
    page.press("Enter", shift=shift)
    page.press("Escape")


def test_a_typed_prompt_moves_the_character_and_a_switch_is_obeyed(page, tmp_path):
    before = joints(page)
    obeyed = page.value(f"{CHARACTER}.remote.latest.obeys")
    say(page, "a person walks forward")
    page.wait(f"{CHARACTER}.remote.latest.obeys > {obeyed}")
    page.wait("document.getElementById('now').textContent === 'a person walks forward'")
    moved = max(np.linalg.norm(at - before[name]) for name, at in joints(page).items())
    assert moved > 0.02, f"after the switch nothing moved more than {moved} m"
    picture = page.screenshot(tmp_path / "viewer.png")
    assert len(picture) > 20_000, "an empty picture is small"


def test_joints_are_drawn_where_forward_kinematics_puts_them(page):
    drawn, expected = drawn_and_expected(page)
    for name in SMPL22.names:
        np.testing.assert_allclose(drawn[name], expected[name], atol=1e-4, err_msg=name)


def test_what_is_queued_is_shown_until_its_turn_and_holding_forgets_it(page):
    say(page, "a person bows", shift=True)
    page.wait("document.querySelector('#now .next')?.textContent === 'bows'")
    page.press("h")
    page.wait(
        "!document.querySelector('#now .next') && document.getElementById('now').textContent === 'standing by'"
    )


def test_what_is_typed_before_the_first_character_is_there_is_no_shortcut_and_is_kept(server, browser):
    with viewer_page.showing(browser, server.url, "prompt=walk&seed=77", ready="!!window.motiongen") as page:
        page.press("/")
        for letter in "ninth":
            page.press(letter)
        page.press("Enter", shift=True)
        assert page.value("document.getElementById('prompt').value") == "ninth"
        page.wait(f"{CHARACTER}.group.visible", chromium.START)
        assert page.value("motiongen.characters.length") == 1
        assert page.value(f"{CHARACTER}.seed") == 77
        page.wait("document.querySelector('.state').textContent === 'live'")


def test_three_quick_additions_stand_in_places_of_their_own_and_all_are_seen(page):
    for _ in range(3):
        page.press("n")
    page.wait("motiongen.characters.length === 4 && motiongen.characters.every((one) => one.group.visible)")
    assert sorted(page.value("motiongen.characters.map((one) => one.slot)")) == [0, 1, 2, 3]
    inside = """motiongen.characters.every((one, n) => {
        const tag = document.querySelectorAll('#tags .tag')[n]?.getBoundingClientRect();
        return tag && tag.left > 0 && tag.right < innerWidth;
    })"""
    page.wait(inside)


def test_what_was_seen_is_saved_as_a_file_and_as_a_link(page, tmp_path):
    page.press("e")
    page.wait("document.getElementById('save').open")
    link = page.value("document.getElementById('save-link').value")
    assert link.endswith(f"?prompt=walk&seed={page.value(f'{CHARACTER}.seed')}")
    text = page.value("fetch(document.querySelector('#save a').href).then((answer) => answer.text())")
    (tmp_path / "a.bvh").write_text(text)
    assert Motion.load(tmp_path / "a.bvh").num_frames > 5
    page.value("document.querySelector('#save .primary').click()")
    page.wait("!document.getElementById('save').open")


def test_on_a_phone_nothing_is_cut(page):
    page.open(page.value("location.href"), (390, 844))
    page.wait(f"{CHARACTER}.group.visible", chromium.START)
    page.wait("document.getElementById('weights').textContent.includes('CC0')")
    cut = """[...document.querySelectorAll('.verbs, .verbs button, .weights, .toolbar button')].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 0 && (box.left < 0 || box.right > innerWidth || one.scrollWidth > one.clientWidth + 1);
    }).map((one) => one.id || one.title || one.className)"""
    assert page.value(cut) == []


def test_keys_add_select_and_remove_characters(page):
    page.press("n")
    page.wait("motiongen.characters.length === 2 && motiongen.characters[1].group.visible")
    apart = joints(page, 0)["pelvis"] - joints(page, 1)["pelvis"]
    assert abs(apart[0]) > 0.5, "they do not stand in one another"
    page.press("1")
    page.wait("document.querySelector('#characters li').classList.contains('selected')")
    page.value("document.querySelectorAll('#characters .remove')[1].click()")
    page.wait("motiongen.characters.length === 1 && motiongen.client.characters.size === 1")


def test_a_click_on_the_floor_sends_the_character_there(page):
    page.press("g")
    page.wait("document.body.classList.contains('picking-target')")
    page.click(SIZE[0] * 0.8, SIZE[1] * 0.5)
    page.wait("!document.body.classList.contains('picking-target')")
    page.wait("document.getElementById('now').textContent === 'going there'")


def test_an_error_is_shown_in_words(page):
    page.press("h")
    page.wait("document.getElementById('now').textContent === 'standing by'")
    page.press("f")
    page.wait("document.querySelector('.toast.error')?.textContent.startsWith('finish: ')")


def test_a_dropped_connection_comes_back_without_losing_a_frame(server, page):
    page.value(f"(window.seen = [], {CHARACTER}.remote.on('frame', ({{ seq }}) => seen.push(seq)), 0)")
    page.wait("seen.length > 5")
    for connection in list(server._connections):
        connection.loop.call_soon_threadsafe(connection.transport.abort)
    page.wait("motiongen.client.state !== 'open'")
    page.wait("motiongen.client.state === 'open'")
    page.wait(f"seen.length > {page.value('seen.length')} + 5")
    seen = page.value("seen")
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    browser_says = [line for line in page.complaints if "WebSocket" not in line]
    page.complaints[:] = browser_says


@pytest.mark.parametrize(
    ("name", "data"),
    [("mixamo.glb", avatars.mixamo_glb()), ("one.vrm", avatars.vrm(1)), ("zero.vrm", avatars.vrm(0))],
)
def test_a_dropped_avatar_takes_the_same_poses(page, name, data):
    page.drop(name, data)
    page.wait(f"{CHARACTER}.figure.title === '{name}'")
    drawn, expected = drawn_and_expected(page)
    assert len(drawn) >= 21
    np.testing.assert_allclose(
        drawn["pelvis"], expected["pelvis"], atol=2e-3
    )  # soles that are a hair off its floor
    for joint, parent in zip(SMPL22.names[1:], SMPL22.parents[1:], strict=True):
        above = SMPL22.names[parent]
        if (
            joint in drawn and above in drawn
        ):  # a bone as it is in the world; its place is off where one is missing
            np.testing.assert_allclose(
                drawn[joint] - drawn[above], expected[joint] - expected[above], atol=1e-3, err_msg=joint
            )


def test_a_file_that_is_no_humanoid_is_refused_in_words(page):
    page.drop("notes.txt", b"hello")
    page.wait(
        "[...document.querySelectorAll('.toast')].some((one) => /notes.txt: expected a .vrm/.test(one.textContent))"
    )
    page.drop("broken.glb", b"glTF" + bytes(40))
    page.wait("[...document.querySelectorAll('.toast')].some((one) => /^broken.glb: /.test(one.textContent))")


def test_the_typescript_parts_pass_their_own_tests():
    npm = requirements.require_npm()
    done = subprocess.run([npm, "test"], cwd=WEB, capture_output=True, text=True, check=False)
    failed = re.findall(r"^not ok .*\n(?:  .*\n)*", done.stdout, re.MULTILINE)
    assert done.returncode == 0, "".join(failed) or done.stdout[-4000:] + done.stderr[-4000:]


def test_without_node_the_build_says_so_and_goes_on(tmp_path):
    build = (
        "from build_viewer import build_viewer; from pathlib import Path; print(build_viewer(Path('viewer')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, env={"PATH": str(tmp_path), "PYTHONPATH": str(WEB)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n" and "Node is not there" in done.stderr


def test_a_viewer_that_fits_its_sources_is_not_built_again():
    requirements.require_viewer()
    environment = {name: value for name, value in os.environ.items() if name != "PATH"}
    done = subprocess.run([sys.executable, str(WEB / "build_viewer.py")], env=environment, check=False)
    assert done.returncode == 0, "the viewer is older than its sources: run python bridge/web/build_viewer.py"
