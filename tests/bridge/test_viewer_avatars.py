"""The page of a server with avatars: it shows them by the server's frames, lets others be chosen, and saves on them."""

from dataclasses import replace

import pytest

from motiongen.retargeting import Character
from tests.bridge import avatars, chromium, viewer_page
from tests.bridge.serving import serving
from tests.bridge.viewer_page import CHARACTER

pytestmark = pytest.mark.slow
ERROR = f"""(() => {{
    const one = {CHARACTER}, pose = one.sample(), [above, parents] = [[], one.shown.avatar.skeleton.parents];
    const {{ names, offsets }} = one.shown.avatar.skeleton, parts = one.shown.avatar.parts, at = [];
    const turn = ([a, b, c, w], [x, y, z]) => {{
        const [i, j, k] = [b * z - c * y + w * x, c * x - a * z + w * y, a * y - b * x + w * z];
        return [x + 2 * (b * k - c * j), y + 2 * (c * i - a * k), z + 2 * (a * j - b * i)];
    }};
    const times = ([x, y, z, w], [a, b, c, d]) => [
        w * a + x * d + y * c - z * b, w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d, w * d - x * a - y * b - z * c,
    ];
    for (const [n, up] of parents.entries()) {{
        const own = [...pose.rotations.slice(4 * n, 4 * n + 4)];
        above[n] = up < 0 ? own : times(above[up], own);
        at[n] = up < 0 ? [...pose.root] : turn(above[up], offsets[n]).map((x, i) => x + at[up][i]);
    }}
    one.figure.apply(pose, 0);
    one.group.updateMatrixWorld(true);
    const apart = Object.entries(parts).map(([part, name]) => {{
        const [found, wanted] = [one.figure.joint(part), at[names.indexOf(name)]];
        return Math.hypot(found.x - wanted[0], found.y - wanted[1], found.z - wanted[2]);
    }});
    return [apart.length, Math.max(...apart)];
}})()"""
"""How many joints are drawn, and how far the worst is from where the frame's own forward kinematics puts it."""


@pytest.fixture(scope="module")
def page(browser, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("avatars")
    files = {"hero.glb": avatars.mixamo_glb(), "zero.vrm": avatars.vrm(0)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    shown = {name.partition(".")[0]: Character.load(folder / name) for name in files}
    shown["mesh"] = replace(shown["hero"], path=folder / "mesh.fbx")  # a GLB of its mesh is shown
    is_hero = f"{CHARACTER}?.figure.title === 'hero'"
    with (
        serving(model, avatars=shown) as server,
        viewer_page.showing(browser, server.url, ready=is_hero, size=(390, 844)) as page,
    ):
        yield page


def choose(page, words):
    page.press("v")
    page.wait("document.getElementById('figures').open")
    page.value(
        f"[...document.querySelectorAll('.choice')].find(({{ textContent }}) => textContent === '{words}').click()"
    )


@pytest.mark.parametrize("name", ["hero", "zero", "mesh"])
def test_an_avatar_is_drawn_where_its_frames_put_it(page, name):
    choose(page, name)
    page.wait(f"{CHARACTER}.figure.title === '{name}' && {CHARACTER}.sample() !== null", chromium.START)
    count, apart = page.value(ERROR)
    assert count >= 21 and apart < 1e-3
    page.press("e")
    page.wait(
        f"[...document.querySelectorAll('#save a')].every(({{ href }}) => href.endsWith('?avatar={name}'))"
    )
    page.value("document.querySelector('#save .primary').click()")
    assert page.complaints == []


def test_the_mannequin_takes_the_plain_frames_again(page):
    choose(page, "The mannequin")
    page.wait(f"!('title' in {CHARACTER}.figure) && {CHARACTER}.sample().rotations.length === 88")
    page.wait("motiongen.client.characters.size === 1")


def test_prompts_have_their_seconds_and_can_be_taken_out(page):
    page.value("document.getElementById('lasting').value = '20'")
    page.press("/")
    page.type("a person walks")
    page.press("Enter")
    page.wait(f"{CHARACTER}.timeline.isTimed")
    for text in ("a person bows", "a person jumps"):
        page.type(text)
        page.press("Enter", shift=True)
    page.wait("document.querySelectorAll('#now .next').length === 2")
    assert page.value("document.querySelector('#now .next i').textContent") == "20 s"
    page.value("document.querySelector('#now .next button').click()")
    page.wait("document.querySelectorAll('#now .next').length === 1")
    assert page.value("document.querySelector('#now .next').textContent").startswith("jumps")
