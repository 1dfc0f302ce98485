"""Options that name a registry's entries: choices, help and errors are those of the registry at that moment."""

import ast
import dataclasses
from pathlib import Path
from typing import Annotated

import pytest

from motiongen import cli, heads
from motiongen.cli import arguments, choices, main
from motiongen.heads import HEADS
from motiongen.inference.joint_groups import JOINT_GROUPS
from motiongen.inference.weight_sets import shipped_policies, shipped_sets
from motiongen.skeleton import SMPL22

FILES = sorted(Path(cli.__file__).parent.glob("*.py"))


@pytest.mark.parametrize(
    ("argv", "able"),
    [
        (["generate", "a person bows", "-o", "x.bvh"], heads.heads_for("words")),
        (
            ["edit", "x.bvh", "a person bows", "--before", "1", "-o", "y.bvh"],
            heads.heads_for("words", edits=True),
        ),
        (["evaluate", "--data", "x", "--evaluator", "y"], heads.heads_for("words")),
    ],
)
def test_a_bad_head_gets_those_that_can_do_the_thing(argv, able, error_line):
    assert main([*argv, "--head", "badn"]) == 2
    assert f"head: expected one of {', '.join(able)}, got 'badn'; pick one" in error_line()
    assert main([*argv, "--head", "bam"]) == 2
    assert "got 'bam'; did you mean bamm?" in error_line()


def test_a_bad_space_and_bad_joints_are_suggested_the_nearest(error_line):
    assert main(["dance", "x.wav", "-o", "y.bvh", "--space", "lattent"]) == 2
    assert "space: expected one of latent, motion, edge, got 'lattent'; did you mean latent?" in error_line()
    assert main(["edit", "x.bvh", "--music", "y.wav", "--joints", "left_arn", "-o", "z.bvh"]) == 2
    assert "got 'left_arn'; did you mean left_arm?" in error_line()


@pytest.mark.parametrize("verb", ["generate", "evaluate"])
def test_a_head_that_is_registered_later_is_a_choice(verb, monkeypatch, capsys):
    assert main([verb, "--help"]) == 0
    assert "--head bamm|mogo" in capsys.readouterr().out
    spec = dataclasses.replace(HEADS["mogo"], name="later", summary="came later", edits=False)
    monkeypatch.setitem(HEADS, "later", spec)
    assert main([verb, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--head bamm|mogo|later" in out and "later came later." in out


def test_the_choice_keeps_the_checks_and_texts_of_the_config():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Config:
        """A thing."""

        name: Annotated[
            str | None, choices.Choice(kind="thing", names=lambda: {"a": ""}, purpose="Which.")
        ] = None
        count: int = 1

        def __post_init__(self):
            if self.count < 1:
                raise cli.UsageError("count: expected 1 or more")

    made = choices.with_choices(Config)
    assert [item.name for item in dataclasses.fields(made)] == [
        "name",
        "count",
    ] and made.__doc__ == "A thing."
    assert isinstance(arguments.parse(Config, ["--name", "a"], "test"), Config)
    with pytest.raises(cli.UsageError, match="thing: expected one of a, got 'b'"):
        made(name="b")
    with pytest.raises(cli.UsageError, match="count: expected 1 or more"):
        made(count=0)


def test_no_command_writes_a_list_of_names():
    names = {*HEADS, *(space for spec in HEADS.values() for space in spec.spaces), *JOINT_GROUPS}
    names |= {*shipped_sets(), *shipped_policies()} - {"full", "open"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple | ast.List):
                written = [item.value for item in node.elts if isinstance(item, ast.Constant)]
                assert len(names & {item for item in written if isinstance(item, str)}) < 2, path
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = set(node.value.replace(",", " ").replace("|", " ").replace(":", " ").split())
                assert len((names - {"head", "motion"}) & words) < 2, (path, node.value)


def test_groups_of_joints_are_joints_and_make_up_the_body():
    assert set().union(*JOINT_GROUPS.values()) <= set(SMPL22.names)
    assert {*JOINT_GROUPS["upper"], *JOINT_GROUPS["lower"], "pelvis"} == set(SMPL22.names)
    assert {*JOINT_GROUPS["left_arm"], *JOINT_GROUPS["right_arm"]} == set(JOINT_GROUPS["arms"])
    assert all(len(set(group)) == len(group) for group in JOINT_GROUPS.values())


@pytest.mark.parametrize("verb", ["generate", "dance", "edit", "evaluate", "drive"])
def test_the_help_of_weights_lists_the_sets_with_their_licences(verb, capsys):
    assert main([verb, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--weights full|open|DIR|OWNER/NAME" in out
    assert "full (CC BY-NC 4.0); open (CC BY 4.0)." in out
