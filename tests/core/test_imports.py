"""The core stands alone: no datasets, sockets or simulators, and nothing heavy before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import motiongen
from motiongen.heads import HEADS

ROOT = Path(motiongen.__file__).parent
FORBIDDEN = {"motiongen_datasets", "motiongen_bridge", "motiongen_sim", "websockets", "pybullet", "gymnasium"}
FILES = sorted(ROOT.rglob("*.py"))


def imported_names(path: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere, functions included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_core_imports_no_sibling_package():
    core = [path for path in FILES if ROOT / "cli" not in path.parents]
    found = {str(path.relative_to(ROOT)): imported_names(path) & FORBIDDEN for path in core}
    assert not {path: names for path, names in found.items() if names}


def test_only_the_command_line_uses_tyro():
    users = [path for path in FILES if "tyro" in imported_names(path) and ROOT / "cli" not in path.parents]
    assert users == []


def test_commands_import_siblings_inside_functions_only():
    for path in (ROOT / "cli").glob("*.py"):
        top = ast.Module(
            [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)], []
        )
        names = {getattr(node, "module", None) or node.names[0].name for node in top.body}
        assert not {name.split(".")[0] for name in names} & (FORBIDDEN | {"torch"}), path


def test_every_folder_of_code_is_a_package():
    folders = {path.parent for path in FILES}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_import_is_light():
    code = "import sys, motiongen; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


@pytest.mark.slow
def test_importing_everything_has_no_side_effect():
    modules = [".".join(("motiongen", *path.relative_to(ROOT).with_suffix("").parts)) for path in FILES]
    modules = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    code = (
        "import importlib, logging, torch\n"
        "seed, state = torch.initial_seed(), torch.get_rng_state()\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "assert torch.initial_seed() == seed, 'an import seeds'\n"
        "assert torch.equal(torch.get_rng_state(), state), 'an import draws random numbers'\n"
        "assert not logging.getLogger().handlers, 'an import sets up logging'\n"
        "assert not torch.cuda.is_initialized(), 'an import starts the GPU'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", motiongen.__all__)
def test_public_names_exist(name):
    assert getattr(motiongen, name) is not None


def test_public_names_are_seen_by_dir_and_by_type_checkers():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: line.module for line in checked.body for alias in line.names}
    assert seen == motiongen._PUBLIC
    assert {*seen, "__version__"} == set(motiongen.__all__) <= set(dir(motiongen))


def test_options_are_public_and_need_no_torch():
    code = (
        "import sys, motiongen as m\n"
        "found = m.BAMMOptions(), m.MogoOptions(), m.BADMOptions(steps=9), m.CARPOptions()\n"
        "print(found[2].steps, [name for name in ('torch', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "9 []\n"


def test_options_of_every_head_that_ships_are_public():
    assert {spec.options.__name__ for spec in HEADS.values()} <= set(motiongen.__all__)


def test_unknown_public_name_lists_the_known():
    with pytest.raises(AttributeError, match=r"no attribute 'genrate'.*generate"):
        motiongen.genrate  # noqa: B018
