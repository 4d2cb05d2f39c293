"""The house, held by facts: what stands where, how it is named, and what may import what."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import alpamayo_ros
from alpamayo_ros import errors
from alpamayo_ros.structs.rationale import ConfidenceKind, LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.structs.tick import TickOutcome

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "alpamayo_ros"
BIN = Path(sys.prefix) / "bin"
TOP_LEVEL = {
    ".ci", ".gitignore", ".importlinter", "CHANGELOG.md", "CMakeLists.txt", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "alpamayo_ros", "bags", "config", "constraints-3.10.txt", "constraints-3.11.txt",
    "constraints-3.12.txt", "constraints-training.txt", "docs", "launch", "msg", "package.xml", "pyproject.toml",
    "setup.py", "srv", "test",
}  # fmt: skip
DOORS = {"cli", "nodes", "ros", "testing", "recording", "training"}
"""Rooms that may look at a clock and at the world; every other room is core. Training ends by the clock."""
HOUSE_TESTS = {"test_layout.py", "test_packaging.py"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_FILE_BYTES = 600, 80, 120_000


def project_files() -> list[Path]:
    """Return every file that belongs to the project, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py"]


def source_files() -> list[Path]:
    return [path for path in python_files() if PACKAGE in path.parents]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def layers() -> tuple[set[str], set[str]]:
    """Return the rooms of .importlinter that are built, and those that stand in parentheses."""
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    match = re.search(r"^layers =\n((?: .*\n)+)", text, re.MULTILINE)
    assert match is not None
    names = set(re.findall(r"\(?\w+\)?", match.group(1)))
    later = {name for name in names if name.startswith("(")}
    return names - later, {name.strip("()") for name in later}


def message_lines(name: str) -> list[str]:
    return (ROOT / "msg" / f"{name}.msg").read_text(encoding="utf-8").splitlines()


def message_constants(name: str, type_name: str, prefix: str = "") -> dict[str, int]:
    pattern = re.compile(rf"{type_name} {prefix}([A-Z0-9_]+)=(\d+)\b")
    return {match[1]: int(match[2]) for match in map(pattern.match, message_lines(name)) if match}


def test_the_tests_run_on_the_installed_tree() -> None:
    """Not on the checkout, whose package has no generated messages."""
    installed = Path(alpamayo_ros.__file__)
    assert Path(sys.prefix) in installed.parents, f"run .venv/bin/pytest, not python -m pytest: {installed}"
    assert str(ROOT) not in sys.path


def test_every_entry_of_the_top_level_is_one_of_the_design() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in project_files()} - TOP_LEVEL == set()


def test_no_file_is_a_drawer_for_anything() -> None:
    banned = {"utils.py", "util.py", "helpers.py", "helper.py", "manager.py", "common.py", "misc.py"}
    assert [relative(path) for path in python_files() if path.name in banned] == []


def test_no_function_hides_behind_a_vague_verb() -> None:
    """verify_ a digest, validate_ a bound, evaluate_ a metric, compare_ outputs, judge_ against the envelope."""
    vague = re.compile(r"_*(check|handle|process)_")
    found = [
        f"{relative(path)}:{function.lineno} {function.name}"
        for path in [*source_files(), *(ROOT / ".ci").glob("*.py")]
        for function in functions(path)
        if vague.match(function.name)
    ]
    assert found == []


def test_every_room_has_an_init_that_only_explains_and_exports() -> None:
    folders = {path.parent for path in source_files()}
    wrong = []
    for folder in sorted(folders):
        init = folder / "__init__.py"
        body = ast.parse(init.read_text(encoding="utf-8")).body if init.exists() else []
        explained = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
        if not explained or any(not is_export(node) for node in body[1:]):
            wrong.append(relative(init))
    assert wrong == []


def is_export(node: ast.stmt) -> bool:
    """Tell whether a statement takes a name from this package or lists the names that are taken."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "alpamayo_ros"
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def test_inits_that_must_stay_empty_hold_a_docstring_only() -> None:
    """The generated messages bring their own copy of the first; the guard reaches ros/ through the second."""
    inits = [PACKAGE / "__init__.py", *PACKAGE.glob("ros/__init__.py")]
    assert [relative(init) for init in inits if len(ast.parse(init.read_text(encoding="utf-8")).body) != 1] == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {name: lines for name, lines in long.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_two_screens() -> None:
    found = {
        f"{relative(path)}:{function.name}": length
        for path in python_files()
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert found == {}


def test_only_bags_and_models_are_large() -> None:
    large = {ROOT / "bags", ROOT / "config" / "models"}
    sizes = {relative(path): path.stat().st_size for path in project_files() if not large & set(path.parents)}
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_BYTES} == {}


def test_unit_tests_mirror_the_source_tree() -> None:
    """test/unit/<room>/test_<module>.py, or test_<module>_<aspect>.py where one file is not enough."""
    unit = ROOT / "test" / "unit"
    lost = []
    for path in python_files():
        if unit not in path.parents or not path.name.startswith("test_") or path.name in HOUSE_TESTS:
            continue
        folder = PACKAGE / path.parent.relative_to(unit)
        modules = [entry.stem for entry in folder.glob("*") if entry.suffix == ".py" or entry.is_dir()]
        subject = path.stem.removeprefix("test_")
        if not any(subject == module or subject.startswith(f"{module}_") for module in modules):
            lost.append(relative(path))
    assert lost == []


def test_the_layers_name_exactly_the_rooms_that_are_built() -> None:
    built, later = layers()
    rooms = {room_of(path) for path in source_files()} - {"__init__"}
    assert built == rooms
    assert later & rooms == set()


def test_the_middleware_is_forbidden_in_every_room_that_does_not_adapt_it() -> None:
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    contract = text.split("[importlinter:contract:middleware]")[1].split("[importlinter")[0]
    listed = set(re.findall(r"alpamayo_ros\.(\w+)", contract))
    assert layers()[0] - listed <= {"cli", "nodes", "ros"}


def test_no_room_takes_a_name_that_the_generated_messages_need() -> None:
    assert {room_of(path) for path in source_files()} & {"msg", "srv", "action", "_data"} == set()


def machine_names() -> re.Pattern[str]:
    """Match paths of one machine and hosts of package registries; in brackets, so as not to match itself."""
    hosts = "pypi[.]org|pythonhosted[.]org|anaconda[.]org"
    folders = "[w]ork/|[r]oot/|[h]ome/|[U]sers/|opt/[p]ypi|opt/[w]heels"
    return re.compile(rf"{hosts}|(?<![\w.$)}}~-])/(?:{folders})")


def test_no_file_names_a_machine_or_a_registry() -> None:
    pattern = machine_names()
    assert pattern.search("cd /" + "home/someone") is not None
    assert pattern.search("test/" + "home/someone") is None
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{relative(path)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_every_message_field_says_its_unit_or_meaning() -> None:
    field = re.compile(r"^[\w/]+(\[[<=\d]*\])? [a-z]\w* *(?P<comment># *\w.*)?$")
    silent = [
        f"{path.name}: {line}"
        for path in sorted((ROOT / "msg").glob("*.msg"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if (match := field.match(line)) and match["comment"] is None
    ]
    assert silent == []


def error_classes(base: type[errors.AlpamayoError] = errors.AlpamayoError) -> Iterator[type[errors.AlpamayoError]]:
    yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


def test_error_codes_are_the_constants_of_the_tick_status() -> None:
    tree = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).upper(): cls.error_code
        for cls in error_classes()
        if cls.__module__ == errors.__name__
    }
    expected = {"NONE": 0, "INTERNAL": tree.pop("ALPAMAYO"), **tree}
    assert message_constants("TickStatus", "uint16", "ERROR_") == expected


def test_error_codes_are_unique_and_drawn_in_the_tree() -> None:
    drawn = dict(re.findall(r"(\w+Error)\s+(\d+)", errors.__doc__ or ""))
    defined = {cls.__name__: str(cls.error_code) for cls in error_classes() if cls.__module__ == errors.__name__}
    assert drawn == defined
    assert len(set(defined.values())) == len(defined)


def test_tick_outcomes_are_the_constants_of_the_tick_status() -> None:
    assert message_constants("TickStatus", "uint8") == {outcome.name: outcome.value for outcome in TickOutcome}


@pytest.mark.parametrize(
    ("prefix", "actions"),
    [
        ("LONGITUDINAL_", LongitudinalAction),
        ("LATERAL_", LateralAction),
        ("LANE_", LaneAction),
        ("CONFIDENCE_", ConfidenceKind),
    ],
)
def test_meta_actions_are_the_constants_of_the_rationale(prefix: str, actions: type[LaneAction]) -> None:
    assert message_constants("Rationale", "uint8", prefix) == {action.name: action.value for action in actions}


@pytest.mark.ros
def test_generated_messages_carry_the_constants_of_their_definitions() -> None:
    messages = pytest.importorskip("alpamayo_ros.msg", reason="the messages are not generated")
    for name, types in (("TickStatus", ("uint8", "uint16")), ("Rationale", ("uint8",))):
        generated = getattr(messages, name)
        for type_name in types:
            constants = message_constants(name, type_name)
            assert constants, name
            assert {key: getattr(generated, key) for key in constants} == constants


def test_the_version_is_written_in_package_xml_alone() -> None:
    match = re.search("<version>(.*?)</version>", (ROOT / "package.xml").read_text(encoding="utf-8"))
    assert match is not None
    version = re.compile(rf"(?<![\d.=]){re.escape(match.group(1))}(?![\d.])")
    ours = [*source_files(), *(ROOT / name for name in ("CMakeLists.txt", "setup.py", "pyproject.toml", "Makefile"))]
    assert [relative(path) for path in ours if version.search(path.read_text(encoding="utf-8"))] == []


def test_ruff_bans_what_import_linter_cannot_see() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    banned = set(re.findall(r'^"([\w.]+)"\.msg = "', text, re.MULTILINE))
    assert banned >= {
        "alpamayo_ros.msg", "datetime.datetime.now", "onnxruntime", "random", "ray", "rclpy", "tensorrt", "time.time",
        "torch", "transforms3d",
    }  # fmt: skip
    assert '"TID"' in text


def test_the_core_has_no_clock_no_log_and_no_dice() -> None:
    """Stamps and seeds are passed in; what a room has to say it returns."""
    banned = {"logging", "random", "sched", "secrets", "time", "uuid"}
    found = []
    for path in source_files():
        if room_of(path) in DOORS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{relative(path)}: {name}" for name in names if name.split(".")[0] in banned]
            unseeded = isinstance(node, ast.Call) and not node.args and not node.keywords
            if unseeded and ast.unparse(node).endswith("default_rng()"):
                found.append(f"{relative(path)}: {ast.unparse(node)}")
    assert found == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the package and of the rules, to break."""
    shutil.copytree(PACKAGE, tmp_path / "alpamayo_ros", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".importlinter", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_layers_hold_on_an_unbroken_copy(house: Path) -> None:
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("planted", "text", "shown"),
    [
        ("structs/planted.py", "import alpamayo_ros.replay\n", "alpamayo_ros.structs.planted -> alpamayo_ros.replay"),
        ("planning/planted.py", "import alpamayo_ros.reasoning\n", "planted -> alpamayo_ros.reasoning"),
        ("geometry/planted.py", "import rclpy\n", "alpamayo_ros.geometry.planted -> rclpy"),
        ("attic/__init__.py", '"""A room that no layer names."""\n', "attic"),
        ("envelope/planted.py", "import alpamayo_ros.inference\n", "planted -> alpamayo_ros.inference"),
    ],
    ids=["upward", "sibling", "middleware", "undeclared room", "judge"],
)
def test_a_planted_import_breaks_the_layers(house: Path, planted: str, text: str, shown: str) -> None:
    path = house / "alpamayo_ros" / planted
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    result = lint_imports(house)
    assert result.returncode == 1, result.stdout
    assert shown in result.stdout


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("import torch\n", {"TID251"}),
        ("import time\n\nSTAMP = time.time()\n", {"TID251"}),
        ("from time import time_ns\n\nSTAMP = time_ns()\n", {"TID251"}),
        ("from datetime import datetime, timezone\n\nNOW = datetime.now(timezone.utc)\n", {"TID251"}),
        ("import random\n\nDICE = random.random()\n", {"TID251"}),
        ("from alpamayo_ros.msg import TickStatus\n\nSTATUS = TickStatus\n", {"TID251"}),
        ("import numpy as np\n\nDICE = np.random.rand(3)\n", {"NPY002"}),
        ('print("x")\n', {"T201"}),
        ("VALUE = 3\n", set()),
    ],
)
def test_ruff_refuses_in_a_core_room(house: Path, text: str, codes: set[str]) -> None:
    planted = house / "alpamayo_ros" / "geometry" / "planted.py"
    planted.write_text(f'"""Planted."""\n\n{text}', encoding="utf-8")
    command = [str(BIN / "ruff"), "check", "--no-cache", "--output-format", "concise", "--ignore", "S,F", str(planted)]
    result = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)
    assert set(re.findall(r": ([A-Z]+\d+) ", result.stdout)) == codes, result.stdout
    assert (result.returncode == 0) == (not codes)
