import json
import os
import subprocess
import sys

import pytest

from motiongen.cli import main


def test_rollout_prints_a_table_and_writes_the_report(tmp_path, capsys):
    out = tmp_path / "out.json"
    assert (
        main(
            [
                "rollout",
                "BlockPush",
                "--policy",
                "hold",
                "--episodes",
                "2",
                "--max-steps",
                "3",
                "--report",
                str(out),
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert said.startswith(
        "task     BlockPush (state observations)\npolicy   hold\nsuccess  0.0%, 95 % interval 0.0% to 65.8%"
    )
    assert "p2" in said and said.endswith(f"{out}\n")
    assert json.loads(out.read_text(encoding="utf-8"))["success"] == [False, False]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["BlockPush", "--episodes", "0"], 2, "episodes: expected 1 or more, got 0"),
        (["BlockPush", "--report", "out.txt"], 2, "cannot write out.txt"),
        (["BlockPsh"], 1, "did you mean BlockPush"),
        (["BlockPush", "--policy", "no/such"], 1, "or a folder, got 'no/such'"),
        (
            ["BlockPush", "--temperature", "-1"],
            1,
            "temperature: expected 0 or more, got -1.0",
        ),
        (["BlockPush", "--action-steps", "20"], 1, "action_steps: expected 1..16"),
        ([], 2, "TASK"),
    ],
)
def test_mistake_is_one_line(options, code, message, error_line):
    assert main(["rollout", *options]) == code
    assert message in error_line()


@pytest.mark.slow
def test_missing_extra_is_one_line_that_says_what_to_install():
    without = "import sys; sys.modules['gymnasium'] = None"
    script = f"{without}; from motiongen.cli import main; main(['rollout', 'PandaPush'])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    wanted = "rollout: gymnasium is not installed; run pip install 'motiongen[sim]'"
    assert ran.stderr == f"motiongen: error: {wanted}\n"
