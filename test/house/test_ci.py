"""The programs of .ci: what they refuse, what they heal, how they count."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> ModuleType:
    """Import a program of .ci, which is no package."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def set_up() -> ModuleType:
    return load("set_up")


@pytest.fixture(scope="module")
def ci_test() -> ModuleType:
    return load("test")


@pytest.fixture
def machine(set_up: ModuleType) -> Any:
    """Return a machine that has everything."""
    return set_up.Machine(
        python=(3, 11),
        platform="linux",
        architecture="x86_64",
        ros_distro="",
        root="/somewhere/with a blank/alpamayo_ros",
        headers=True,
        compiler="",
        compiler_found=True,
        missing_modules=(),
        colcon=True,
        free_bytes=10**11,
    )


def test_a_complete_machine_is_accepted_without_a_word(
    set_up: ModuleType, machine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up.verify_machine(machine)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("python", [(3, 10), (3, 12)])
def test_a_resolved_python_is_accepted_with_a_word(
    set_up: ModuleType, machine: Any, python: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up.verify_machine(machine._replace(python=python))
    assert capsys.readouterr().out == (
        f"set-up: the versions in constraints-3.{python[1]}.txt are resolved, but not run; 3.11 is what is tested\n"
    )


def test_another_architecture_is_accepted_where_ros_is_sourced(set_up: ModuleType, machine: Any) -> None:
    set_up.verify_machine(machine._replace(architecture="aarch64", ros_distro="jazzy"))
    with pytest.raises(set_up.SetUpError, match=r"no ROS 2 wheels for aarch64; source a ROS 2 installation"):
        set_up.verify_machine(machine._replace(architecture="aarch64"))


@pytest.mark.parametrize(
    ("lack", "sentence"),
    [
        ({"python": (3, 9)}, "Python 3.9 is not supported; run 'make PYTHON=python3.11' (or 3.10 or 3.12)"),
        ({"python": (3, 13)}, "Python 3.13 is not supported; run 'make PYTHON=python3.11' (or 3.10 or 3.12)"),
        ({"platform": "darwin"}, "platform darwin is not supported; use Linux"),
        ({"headers": False}, "the Python headers are missing; install them (Debian, Ubuntu: python3.11-dev)"),
        ({"compiler_found": False}, "no C++ compiler was found; install one (Debian, Ubuntu: g++)"),
        (
            {"compiler_found": False, "compiler": "icpx"},
            "no C++ compiler was found at CXX=icpx; install one (Debian, Ubuntu: g++)",
        ),
        (
            {"missing_modules": ("venv", "ensurepip")},
            "Python's venv and ensurepip cannot be imported; install it (Debian, Ubuntu: python3.11-venv)",
        ),
        ({"ros_distro": "humble", "colcon": False}, "colcon is missing; install it (Debian, Ubuntu: python3-colcon-"),
        ({"root": "/somewhere/a;b"}, "the path of this checkout, '/somewhere/a;b', has a character that CMake"),
    ],
)
def test_what_is_missing_gets_one_sentence_that_says_what_to_do(
    set_up: ModuleType, machine: Any, lack: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(set_up.SetUpError) as refusal:
        set_up.verify_machine(machine._replace(**lack))
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full; make room and run the same command again"),
        ("Retrying after NewConnectionError('...')", "the package index could not be reached; connect to the network"),
        ("ld: undefined symbol", "it broke; the reason stands above"),
    ],
)
def test_a_command_that_fails_ends_in_one_sentence(
    set_up: ModuleType, output: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"import sys; print({output!r}); sys.exit(1)"
    with pytest.raises(set_up.SetUpError, match=f"^{re.escape(sentence)}"):
        set_up.run([sys.executable, "-c", code], "it broke")
    assert (output in capsys.readouterr().err) == ("stands above" in sentence)


def test_every_requirement_is_pinned_for_every_python(set_up: ModuleType) -> None:
    requirements = [requirement.partition(";") for requirement in set_up.groups("")]
    names_and_markers = [(re.split("[<>= ]", text)[0].lower(), marker) for text, _, marker in requirements]
    wanted = {name for name, _ in names_and_markers}
    newer_only = {name for name, marker in names_and_markers if "python_version >= '3.11'" in marker}
    assert {"numpy", "pytest", "ruff", "ros-rclpy"} <= wanted
    assert {name for name in set_up.groups("jazzy") if name.startswith("ros-")} == set()
    for python in ("3.10", "3.11", "3.12"):
        lines = (ROOT / f"constraints-{python}.txt").read_text(encoding="utf-8").splitlines()
        header, pins = [line for line in lines if line.startswith("#")], [line for line in lines if line[0] != "#"]
        assert ("not run" in " ".join(header)) == (python != "3.11")
        assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+", pin) for pin in pins)
        names = [pin.split("==")[0] for pin in pins]
        assert names == sorted(set(names))
        assert wanted - (newer_only if python == "3.10" else set()) <= set(names)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a made-up checkout with a made-up install of two modules, two messages and two services."""
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    package, share = site / "alpamayo_ros", tmp_path / ".venv" / "share" / "alpamayo_ros"
    (tmp_path / "alpamayo_ros" / "room").mkdir(parents=True)
    for folder in (tmp_path / "build", package / "room" / "__pycache__"):
        folder.mkdir(parents=True)
    for kind in ("msg", "srv"):
        (tmp_path / kind).mkdir()
        (share / kind).mkdir(parents=True)
    for name in ("kept.py", "room/gone.py"):
        (tmp_path / "alpamayo_ros" / name).touch()
        (package / name).symlink_to(tmp_path / "alpamayo_ros" / name)
    (package / "room" / "__pycache__" / "gone.pyc").touch()
    for name in ("msg/Kept.msg", "msg/Gone.msg", "srv/Kept.srv", "srv/Gone.srv"):
        (tmp_path / name).touch()
        (share / name).symlink_to(tmp_path / name)
    (share / "srv" / "Kept_Request.msg").touch()  # rosidl makes it from the service
    (site / "alpamayo_ros-1.0.0-py3.11.egg-info").mkdir()
    (site / "another_package").mkdir()
    (tmp_path / "package.xml").write_text("<package><version>1.0.0</version></package>", encoding="utf-8")
    return tmp_path


def installed(checkout: Path) -> set[str]:
    return {path.name for path in (checkout / ".venv").rglob("*")}


def test_a_deleted_module_leaves_the_installed_tree_with_its_room(set_up: ModuleType, checkout: Path) -> None:
    (checkout / "alpamayo_ros" / "room" / "gone.py").unlink()
    set_up.remove_dangling_links(checkout / ".venv")
    assert {"room", "gone.py", "gone.pyc"} & installed(checkout) == set()
    assert {"kept.py", "Kept.msg", "Gone.msg", "another_package"} <= installed(checkout)


def test_a_build_that_fits_its_sources_stays(set_up: ModuleType, checkout: Path) -> None:
    before = installed(checkout)
    (checkout / "msg" / "New.msg").touch()
    (checkout / "srv" / "New.srv").touch()
    set_up.remove_stale_build(checkout)
    assert installed(checkout) == before
    assert (checkout / "build").exists()


@pytest.mark.parametrize("change", ["message deleted", "service deleted", "new version", "build broke off"])
def test_a_build_that_does_not_fit_its_sources_is_made_anew(set_up: ModuleType, checkout: Path, change: str) -> None:
    if change == "message deleted":
        (checkout / "msg" / "Gone.msg").unlink()
    elif change == "service deleted":
        (checkout / "srv" / "Gone.srv").unlink()
    elif change == "new version":
        (checkout / "package.xml").write_text("<package><version>1.0.1</version></package>", encoding="utf-8")
    else:
        (checkout / "build" / set_up.UNFINISHED).touch()
    set_up.remove_stale_build(checkout)
    assert not (checkout / "build").exists()
    assert {name for name in installed(checkout) if "alpamayo" in name} == set()
    assert "another_package" in installed(checkout)


def test_a_second_set_up_waits_for_the_first(set_up: ModuleType, tmp_path: Path) -> None:
    """Even when the first was killed and only a command that it had started lives on."""
    lock = tmp_path / "lock"
    lock.touch()
    holder = (
        f"import sys, subprocess; sys.path.insert(0, {str(ROOT / '.ci')!r}); import set_up; "
        f"lock = open({str(lock)!r}, 'r+b'); set_up.wait_for(lock); "
        "subprocess.Popen(['sleep', '1'], close_fds=False, stdout=subprocess.DEVNULL); print('held', flush=True)"
    )
    waiter = re.sub(r"subprocess\.Popen.*?; ", "", holder)
    first = subprocess.run([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert first.stdout == "held\n"
    second = subprocess.run([sys.executable, "-c", waiter], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert second.stdout == "set-up: another set-up of this checkout is running; waiting for it\nheld\n"


def test_make_clean_leaves_nothing_that_git_ignores(tmp_path: Path) -> None:
    for name in ("Makefile", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    patterns = (tmp_path / ".gitignore").read_text(encoding="utf-8").split()
    assert "/.venv/" in patterns
    for pattern in patterns:
        artefact = tmp_path / pattern.strip("/").replace("*", "x")
        if pattern.endswith("/"):
            artefact.mkdir()
            (artefact / "some.file").touch()
    (tmp_path / "deep" / "er" / "__pycache__").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "__pycache__" / "x.pyc").touch()
    listing = ["git", "status", "--ignored", "--porcelain"]
    before = subprocess.run(listing, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert before.stdout.count("!! ") > len([pattern for pattern in patterns if pattern.startswith("/")])
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    after = subprocess.run(listing, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(after.stdout.splitlines()) == ["?? .gitignore", "?? Makefile"]


def test_the_report_of_the_tests_is_counted_with_the_reasons_of_the_skips(ci_test: ModuleType, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    cases = (
        "<testcase/><testcase><failure/></testcase><testcase><error/></testcase>"
        '<testcase><skipped message="no GPU"/></testcase><testcase><skipped message="no GPU"/></testcase>'
    )
    junit.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    assert ci_test.count(junit) == (1, 2, {"no GPU": 2})


def test_a_file_that_is_skipped_as_a_whole_says_why(ci_test: ModuleType, tmp_path: Path) -> None:
    text = "('test_launch.py', 13, &quot;Skipped: launch_pytest is not installed&quot;)"
    junit = tmp_path / "junit.xml"
    junit.write_text(f'<s><testcase><skipped message="collection skipped">{text}</skipped></testcase></s>')
    assert ci_test.count(junit) == (0, 0, {"a whole file: launch_pytest is not installed": 1})


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsu"])
def test_a_report_that_is_absent_or_cut_counts_nothing(ci_test: ModuleType, tmp_path: Path, text: str | None) -> None:
    junit = tmp_path / "junit.xml"
    if text is not None:
        junit.write_text(text, encoding="utf-8")
    assert ci_test.count(junit) == (0, 0, {})


def test_the_closing_line_counts_tests_and_linters_but_not_the_set_up(
    ci_test: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    part = ci_test.Part
    none = ci_test.Counter()
    ci_test.report(
        [
            part("set-up", 1.0, 1, 0, 0, none),
            part("mypy", 2.0, 0, 1, 0, none),
            part("tests", 3.0, 7, 0, 2, ci_test.Counter({"no GPU": 2})),
        ],
        4.5,
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "7 passed, 1 failed, 2 skipped"
    assert lines[-3:-1] == ["skipped 2: no GPU", "failed: mypy"]
    assert any(line.split()[:2] == ["total", "4.5"] for line in lines)


def test_two_runs_never_share_a_ros_domain(ci_test: ModuleType) -> None:
    with ci_test.private_domain() as first, ci_test.private_domain() as second:
        ids = {int(taken.getsockname().decode().rsplit("-", 1)[1]) for taken in (first, second)}
    assert len(ids) == 2
    assert all(1 <= domain_id <= 101 for domain_id in ids)


def test_every_dependency_has_its_reason(set_up: ModuleType) -> None:
    text = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    reasoned = set(re.findall(r"^\|.*\|$", text, re.MULTILINE))
    named = {name for row in reasoned for name in re.findall(r"`([\w.-]+)`", row.split("|")[1])}
    assert named == {re.split("[<>=; ]", requirement)[0] for requirement in set_up.groups("a sourced one")}


@pytest.mark.parametrize("given", [None, "/somewhere/else"])
def test_the_run_of_ci_finds_the_data_folder_beside_the_checkout(tmp_path: Path, given: str | None) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    (checkout / "Makefile").write_text('test:\n\t@echo "data: $$ALPAMAYO_DATA"\n', encoding="utf-8")
    environment = {"PATH": os.environ["PATH"]} | ({"ALPAMAYO_DATA": given} if given else {})
    seen = []
    for _ in range(2):
        result = subprocess.run(
            [checkout / ".ci" / "run"], env=environment, cwd="/", stdout=subprocess.PIPE, text=True, check=True
        )
        seen.append(result.stdout.removeprefix("data: ").strip())
        (tmp_path / "shared" / "data").mkdir(parents=True, exist_ok=True)
    assert seen == ([given, given] if given else ["", str((tmp_path / "shared" / "data").resolve())])
