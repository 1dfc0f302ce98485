"""MMCP over loopback, asked by the protocol's own client: what may be asked for, whole clips, and clear refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from motiongen import load
from motiongen.cli import main
from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.rotation import quat_from_matrix
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_bridge.server_config import ServerConfig
from tests.core.inference.tiny import save_tiny

client = pytest.importorskip("motionmcp.client", reason="needs motiongen[mmcp]")
pytest.importorskip("uvicorn", reason="needs motiongen[mmcp]")
RIGS = json.loads((Path(__file__).parents[2] / "bridge" / "fixtures" / "rigs.json").read_text())["rigs"]


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return load("bamm", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


@pytest.fixture(scope="module")
def url(words):
    from motiongen_bridge.mmcp_server import MmcpServer

    with MmcpServer(words, ServerConfig(port=0)) as server:
        yield server.url


@pytest.fixture(scope="module")
def model(url):
    return client.pick_model(client.get_capabilities(url), "motiongen-bamm")


def request(model, **changed):
    """Return a request of one second of walking on the canonical skeleton."""
    body = {
        "protocol_version": "1.4",
        "model": model["id"],
        "skeleton": model["canonical_skeleton"],
        "segments": [{"type": "text", "prompt": "a person walks", "duration_frames": 30}],
        "options": {"seed": 3, "post_processing": False},
    }
    return body | changed


def motion_of(parsed, skeleton=SMPL22):
    """Return what the protocol's client read as a motion."""
    rotations = quat_from_matrix(torch.tensor(np.asarray(parsed["local_rot_mats"]), dtype=torch.float32))
    root = torch.tensor(np.asarray(parsed["posed_joints"])[:, 0], dtype=torch.float32)
    return Motion(skeleton, rotations, root, parsed["fps"])


def refusal(url, body):
    with pytest.raises(client.MmcpError) as caught:
        client.generate(url, body)
    return caught.value


def test_capabilities_offer_the_canonical_skeleton_and_only_what_is_met(model):
    joints = model["canonical_skeleton"]["joints"]
    assert [joint["name"] for joint in joints] == list(SMPL22.names)
    offsets = torch.tensor([joint["rest_translation"] for joint in joints])
    torch.testing.assert_close(offsets[1:], SMPL22.offsets[1:], rtol=0, atol=1e-6)
    assert model["supported_constraints"] == [] and model["supported_segments"] == ["text"]
    assert model["supports_retargeting"] and not model["supports_loop"] and model["fps"] == 30.0


def test_a_clip_is_what_the_model_writes(url, model, words):
    document = client.generate(url, request(model))
    parsed = client.parse_gltf(document)
    ours = words.sequence(["a person walks"], seconds=1.0, seed=3)[0].motion
    assert (parsed["num_frames"], parsed["fps"], parsed["joint_names"]) == (30, 30.0, list(SMPL22.names))
    torch.testing.assert_close(motion_of(parsed).positions(), ours.positions(), rtol=0, atol=1e-4)
    contacts = torch.tensor(np.asarray(parsed["foot_contacts"]))
    feet = [SMPL22.index(name) for name in ("left_ankle", "left_foot", "right_ankle", "right_foot")]
    assert torch.equal(contacts[:, feet], ours.contacts())
    codes = [note["code"] for note in document["extensions"]["MMCP_motion"]["notes"]]
    assert "licence" in codes


def test_segments_have_their_frames_and_go_on_from_each_other(url, model):
    segments = [
        {"type": "text", "prompt": "a person walks", "duration_frames": 21},
        {"type": "text", "prompt": "a person bows, then walks", "duration_frames": 34, "seed": 5},
    ]
    both = motion_of(client.parse_gltf(client.generate(url, request(model, segments=segments))))
    first = motion_of(client.parse_gltf(client.generate(url, request(model, segments=segments[:1]))))
    assert (both.num_frames, first.num_frames) == (55, 21)
    torch.testing.assert_close(both.positions()[:15], first.positions()[:15], rtol=0, atol=1e-4)


def test_samples_differ_and_seeds_repeat_them(url, model):
    options = {"seed": 8, "num_samples": 2, "guidance": {"type": "regular", "weight": [2.0]}}
    one, two = client.parse_gltf_samples(client.generate(url, request(model, options=options)))
    again = client.parse_gltf(client.generate(url, request(model, options=options | {"num_samples": 1})))
    assert np.array_equal(one["local_rot_mats"], again["local_rot_mats"])
    assert not np.array_equal(one["local_rot_mats"], two["local_rot_mats"])
    segments = [{"type": "text", "prompt": "a person walks", "duration_frames": 30, "seed": -5}]
    options = {"num_samples": 2, "seed": 10**30}
    one, two = client.parse_gltf_samples(
        client.generate(url, request(model, segments=segments, options=options))
    )
    assert not np.array_equal(one["local_rot_mats"], two["local_rot_mats"])


@pytest.mark.parametrize(("fps", "frames"), [(24.0, 24), (60.0, 61)])
def test_another_rate_lasts_as_long(url, model, fps, frames):
    segments = [{"type": "text", "prompt": "a person walks", "duration_frames": frames}]
    parsed = client.parse_gltf(client.generate(url, request(model, segments=segments, timing={"fps": fps})))
    assert (parsed["num_frames"], parsed["fps"]) == (frames, fps)
    whole = motion_of(client.parse_gltf(client.generate(url, request(model))))
    got = motion_of(parsed)
    half = round(fps / 2)
    torch.testing.assert_close(got.positions()[half], whole.positions()[15], rtol=0, atol=2e-3)


def rig(name):
    """Return a rig of the fixtures with the proportions of SMPL-22, as the protocol has skeletons."""
    names, parents = zip(*RIGS[name]["joints"], strict=True)
    roles = {joint: role for role, joint in RIGS[name]["roles"].items()}
    places = SMPL22.rest_positions + torch.tensor([0.0, 0.95, 0.0])
    at, joints = [], []
    for joint, parent in zip(names, parents, strict=True):
        base = torch.zeros(3) if parent < 0 else at[parent]
        place = (
            places[SMPL22.index(roles[joint])] if joint in roles else base + torch.tensor([0.0, 0.0, 0.01])
        )
        at.append(torch.zeros(3) if parent < 0 and joint not in roles else place)
        joints.append(
            {
                "name": joint,
                "parent": None if parent < 0 else names[parent],
                "rest_translation": (at[-1] - base).tolist(),
                "rest_rotation": [0.0, 0.0, 0.0, 1.0],
            }
        )
    return {"joints": joints}


@pytest.mark.parametrize("name", ["SOMA-77", "Unity", "Mixamo"])
def test_another_humanoid_gets_the_clip_retargeted_to_it(url, model, name):
    wire = rig(name)
    document = client.generate(url, request(model, skeleton=wire))
    parsed = client.parse_gltf(document)
    names = [joint["name"] for joint in wire["joints"]]
    parents = [-1 if joint["parent"] is None else names.index(joint["parent"]) for joint in wire["joints"]]
    offsets = torch.tensor([joint["rest_translation"] for joint in wire["joints"]])
    skeleton = Skeleton(tuple(names), tuple(parents), offsets)
    got = motion_of(parsed, skeleton)
    ours = motion_of(client.parse_gltf(client.generate(url, request(model))))
    mapping = humanoid_map(skeleton)
    assert document["extensions"]["MMCP_motion"]["canonical_to_request"] == mapping
    torch.testing.assert_close(got.positions(), ours.retarget(skeleton).positions(), rtol=0, atol=1e-4)
    hand = skeleton.index(mapping["left_wrist"])
    torch.testing.assert_close(
        got.positions()[:, hand], ours.positions()[:, SMPL22.index("left_wrist")], rtol=0, atol=0.08
    )


def test_what_is_not_met_is_refused_in_a_line(url, model):
    bones = {"joints": [{"name": "bone", "rest_translation": [0, 0, 0], "rest_rotation": [0, 0, 0, 1]}]}
    error = refusal(url, request(model, skeleton=bones))
    assert error.code == "invalid_skeleton" and "expected a humanoid" in str(error)
    kneeless = rig("Mixamo")
    next(j for j in kneeless["joints"] if j["name"].endswith("LeftLeg"))["rest_translation"] = [0, 0, 0]
    error = refusal(url, request(model, skeleton=kneeless))
    assert error.code == "invalid_skeleton" and "left_hip and left_knee apart" in str(error)
    assert "--" not in str(error)  # of a command line, which a plug-in has none of
    path = {"type": "root_path", "frames": [0], "positions_xz": [[0, 0]]}
    assert refusal(url, request(model, constraints=[path])).code == "unsupported_constraint"
    still = [{"type": "unconditioned", "duration_frames": 30}]
    assert refusal(url, request(model, segments=still)).code == "unsupported_segment"
    assert refusal(url, request(model, options={"loop": True})).code == "invalid_options"
    separated = {"guidance": {"type": "separated", "weight": [1, 2]}}
    assert "expected nocfg or regular" in str(refusal(url, request(model, options=separated)))
    assert "timing.fps" in str(refusal(url, request(model, timing={"fps": 1000})))
    long = [{"type": "text", "prompt": " ".join(["walk"] * 80), "duration_frames": 30}]
    assert "60 words" in str(refusal(url, request(model, segments=long)))
    huge = [{"type": "text", "prompt": "walk", "duration_frames": 3000}]
    assert "max_duration_seconds" in str(refusal(url, request(model, segments=huge)))


def test_only_the_tokens_owner_and_no_page_may_ask(words):
    from motiongen_bridge.mmcp_server import MmcpServer

    with MmcpServer(words, ServerConfig(port=0, token="a good secret")) as server:
        assert client.probe_server(server.url).status == "auth_required"
        assert client.probe_server(server.url, access_token="a wrong secret").status == "auth_required"
        assert client.probe_server(server.url, access_token="a good secret").ok


@pytest.mark.parametrize("header", [("Origin", "https://elsewhere.example"), ("Host", "elsewhere.example")])
def test_a_page_of_elsewhere_is_refused(url, header):
    import urllib.error
    import urllib.request

    asked = urllib.request.Request(f"{url}/capabilities", headers=dict([header]))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked)
    assert caught.value.code == 403 and json.loads(caught.value.read())["error"]["code"] == "forbidden"


def test_the_small_client_reads_it_too(url, model):
    other = pytest.importorskip("motionmcp_client.client", reason="needs motionmcp-client-sdk")
    from motionmcp_client import gltf_parser

    assert other.pick_model(other.get_capabilities(url))["id"] == model["id"]
    theirs = gltf_parser.parse_gltf(other.generate(url, request(model)))
    ours = client.parse_gltf(client.generate(url, request(model)))
    np.testing.assert_allclose(theirs["local_rot_mats"], ours["local_rot_mats"], atol=1e-6)
    np.testing.assert_allclose(theirs["posed_joints"], ours["posed_joints"], atol=1e-6)


def test_serve_says_what_to_install(monkeypatch, capsys):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["serve", "--mmcp"]) == 2
    assert "pip install 'motiongen[mmcp]'" in capsys.readouterr().err
