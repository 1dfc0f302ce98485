"""The Unity package's core, compiled and run by mono against the fixtures and a real server; skipped without mono."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from motiongen.rotation import quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22
from motiongen_bridge.vmc import BONES
from tests.bridge.serving import serving
from tests.core.motions import wobble

BRIDGE = Path(__file__).parents[2] / "bridge"
UNITY = BRIDGE / "unity"
FRAMES = json.loads((BRIDGE / "fixtures" / "frames.json").read_text())
MIRROR = torch.tensor([-1.0, 1.0, 1.0])


def compile_with_mono(out, *sources):
    """Compile C# as Unity 2018 and later understand it, warnings being errors."""
    if shutil.which("mcs") is None or shutil.which("mono") is None:
        pytest.skip("needs mono: mcs and mono")
    command = ["mcs", "-langversion:7.2", "-warnaserror", "-r:System.dll", "-r:System.Core.dll"]
    built = subprocess.run([*command, f"-out:{out}", *sources], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs the core with words; returns the JSON that it prints."""
    program = tmp_path_factory.mktemp("unity") / "core.exe"
    sources = [*sorted((UNITY / "Runtime" / "Core").glob("*.cs")), Path(__file__).parent / "unity_core.cs"]
    compile_with_mono(program, *sources)

    def run(*words):
        ran = subprocess.run(["mono", program, *words], capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    return run


def test_the_package_names_its_parts():
    package = json.loads((UNITY / "package.json").read_text())
    assert re.fullmatch(r"[a-z]+\.[a-z.]+", package["name"]) and re.fullmatch(
        r"\d+\.\d+\.\d+", package["version"]
    )
    for path in UNITY.rglob("*.asmdef"):
        assert json.loads(path.read_text())["name"] == path.stem


def test_the_core_knows_no_unity_and_the_bones_are_vmcs():
    for path in (UNITY / "Runtime" / "Core").glob("*.cs"):
        assert "UnityEngine" not in path.read_text(), path.name
    code = (UNITY / "Runtime" / "Core" / "Rig.cs").read_text()
    assert dict(re.findall(r'\{ "(\w+)", "([A-Z]\w+)" \}', code)) == BONES


def test_the_component_and_its_inspector_compile_against_the_names_of_unity(tmp_path):
    parts = [*UNITY.rglob("*.cs"), Path(__file__).parent / "unity_stub.cs"]
    compile_with_mono(tmp_path / "all.dll", "-target:library", *sorted(parts))


def test_the_fixtures_frames_are_decoded_and_what_is_none_is_refused(run):
    decoded = run("frames", str(BRIDGE / "fixtures" / "frames.json"))
    cases = [case for case in FRAMES["frames"] if "hex" in case]
    assert decoded[len(cases) :] == [None] * len(FRAMES["refused"])
    for got, said in zip(decoded, (case["frame"] for case in cases), strict=False):
        numbers = [said["character"], said["seq"], said["obeys"], said["time"] / 1e6, said["contacts"]]
        assert got["numbers"] == pytest.approx(numbers) and got["gap"] == said["gap"]
        assert got["root"] == pytest.approx(said["root"], abs=1e-6)
        turns = torch.nn.functional.normalize(torch.tensor(said["rotations"], dtype=torch.float32), dim=-1)
        torch.testing.assert_close(
            torch.tensor(got["rotations"], dtype=torch.float32), turns, rtol=0, atol=1e-5
        )


def character(lowered, scale):
    """Return rests and heads of a Humanoid of our proportions in Unity, with arms lowered and rolls of its own."""
    heads = SMPL22.rest_positions.clone()
    heads = heads + torch.tensor([0.0, 0.085 - heads[SMPL22.index("left_ankle"), 1].item(), 0.0])
    for side, sign in (("left", -1.0), ("right", 1.0)):
        half = torch.tensor(lowered / 2)
        down = torch.stack([half * 0, half * 0, sign * half.sin(), half.cos()])
        shoulder = heads[SMPL22.index(f"{side}_shoulder")].clone()
        for part in ("elbow", "wrist"):
            joint = SMPL22.index(f"{side}_{part}")
            heads[joint] = shoulder + quat_rotate(down, heads[joint] - shoulder)
    rest = torch.randn(22, 4, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.normalize(rest, dim=-1), heads * MIRROR * scale


@pytest.mark.parametrize(("lowered", "scale"), [(0.0, 1.0), (0.8, 0.5)])
def test_a_humanoid_of_our_proportions_has_its_joints_where_ours_are(run, tmp_path, lowered, scale):
    rest, heads = character(lowered, scale)
    motion = wobble(40, seed=9)
    given = {
        "names": SMPL22.names, "parents": SMPL22.parents, "offsets": SMPL22.offsets.tolist(), "has": [True] * 22,
        "rest": rest.tolist(), "heads": heads.tolist(), "rotations": motion.rotations[30].tolist(),
        "root": [motion.root[30].tolist()],
    }  # fmt: skip
    (tmp_path / "rig.json").write_text(json.dumps(given))
    said = run("rig", str(tmp_path / "rig.json"))
    assert said["scale"] == pytest.approx(scale, rel=1e-4)
    turns = torch.tensor(said["world"])
    places = [torch.tensor(said["hips"])]
    for joint, parent in list(enumerate(SMPL22.parents))[
        1:
    ]:  # bones carry their children as they lie at rest
        carry = quat_multiply(turns[parent], quat_inverse(rest[parent]))
        places.append(places[parent] + quat_rotate(carry, heads[joint] - heads[parent]))
    ours = motion.positions()[30] * MIRROR * scale
    off = (torch.stack(places) - ours).norm(dim=-1) / scale
    legs = torch.tensor([name.endswith(("knee", "ankle", "foot")) for name in SMPL22.names])
    assert off[~legs].max() < 0.004 and off[legs].max() < 0.03, off  # our own legs are not quite straight


def test_a_character_without_legs_is_refused_in_a_line(run, tmp_path):
    rest, heads = character(0.0, 1.0)
    given = {
        "names": SMPL22.names, "parents": SMPL22.parents, "offsets": SMPL22.offsets.tolist(),
        "has": [name != "left_knee" for name in SMPL22.names], "rest": rest.tolist(), "heads": heads.tolist(),
    }  # fmt: skip
    (tmp_path / "rig.json").write_text(json.dumps(given))
    said = run("rig", str(tmp_path / "rig.json"))["error"]
    assert said.startswith("rig: expected a bone LeftLowerLeg")


@pytest.mark.slow
def test_a_link_shows_obeys_and_hangs_up(run, model):
    with serving(model, token="a good secret") as server:
        url = server.url.replace("http:", "ws:") + "ws"
        said = run("link", url, "a good secret")
        assert said["shown"] >= 60 and said["joints"] == 22 and said["end"] == "disconnected"
        assert "nonsense" in said["note"]
        said = run("link", url, "a wrong secret")
        assert said["shown"] == 0 and "is the token right?" in said["status"]
