"""Runs the Makefile on a machine made for the test: few tools on the PATH, and a uv that writes down its orders."""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from orchestration.settings import REPOSITORY, TELEMETRY_OFF

SYSTEM_TOOLS = ("awk", "cat", "cp", "env", "make", "mkdir", "rm", "sh", "touch")

# Answers as uv does where the Makefile looks at the answer; `run` runs the command.
UV = """#!/bin/sh
echo "uv $*" >> "$LOG"
case "$1" in
  sync) mkdir -p .venv ;;
  run) env > "$LOG.env"; shift 2; [ "$1" != sh ] || exec "$@" ;;
esac
"""
OLD_UV = "#!/bin/sh\necho 'Required uv version does not match' >&2\nexit 2\n"
UV_WITHOUT_PYTHON = '#!/bin/sh\n[ "$*" != "--quiet python find" ]\n'

# Set-up that `make` does before a target that needs the environment, when it finds uv.
FOUND = "uv cache dir"
SET_UP = ["uv --quiet python find", "uv sync --locked --compile-bytecode"]


@dataclass
class Machine:
    """A checkout and the few programs beside it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.checkout.mkdir()
        self.programs.mkdir()
        (self.checkout / "orchestration").mkdir()
        for name in ("Makefile", "pyproject.toml", "uv.lock", "orchestration/instance.yaml"):
            shutil.copy(REPOSITORY / name, self.checkout / name)
        for name in SYSTEM_TOOLS:
            (self.programs / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not on the PATH"))

    @property
    def checkout(self) -> Path:
        return self.folder / "a checkout"

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def calls(self) -> list[str]:
        """What uv was asked, without the question that chooses it."""
        log = self.folder / "log"
        return [line for line in log.read_text().splitlines() if line != FOUND] if log.exists() else []

    @property
    def seen_environment(self) -> dict[str, str]:
        lines = (self.folder / "log.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def install(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(script)
        path.chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.checkout,
            env={"PATH": str(self.programs), "LOG": str(self.folder / "log"), **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without uv."""
    return Machine(tmp_path)


@pytest.fixture
def machine_with_uv(machine: Machine) -> Machine:
    machine.install("uv", UV)
    return machine


def test_make_alone_lists_every_target_with_a_line(machine_with_uv: Machine) -> None:
    listed = dict(re.findall(r"^make (\S+) +(\S.*)$", machine_with_uv.make().stdout, flags=re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony
    assert list(listed) == phony[1].split()
    assert machine_with_uv.calls == []


def test_a_found_uv_sets_up_once_and_again_when_the_lock_changes(machine_with_uv: Machine) -> None:
    machine_with_uv.make("bench")
    machine_with_uv.make("bench")
    assert machine_with_uv.calls == [*SET_UP, *["uv run --frozen --group bench python -m benchmarks"] * 2]

    stamp = machine_with_uv.checkout / ".venv" / ".catalyst-synced"
    after = stamp.stat().st_mtime + 1
    os.utime(machine_with_uv.checkout / "uv.lock", (after, after))
    machine_with_uv.make("bench")
    assert machine_with_uv.calls[4:] == [*SET_UP, "uv run --frozen --group bench python -m benchmarks"]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run"], "catalyst run"),
        (["run", "AS_OF=2026-06-30", "SCALE=2"], "catalyst run --as-of 2026-06-30 --scale 2"),
        (["test", "ARGS=-k gate"], "pytest -n 2 --dist loadfile --no-loadscope-reorder -k gate"),
    ],
)
def test_a_target_passes_its_choices_on(machine_with_uv: Machine, arguments: list[str], command: str) -> None:
    assert machine_with_uv.make(*arguments).returncode == 0
    assert machine_with_uv.calls[-1] == f"uv run --no-sync {command}"


def test_lint_names_each_tool_as_it_runs(machine_with_uv: Machine) -> None:
    output = machine_with_uv.make("lint").stdout
    assert re.findall(r"^== (.*)$", output, flags=re.MULTILINE) == [
        "ruff check",
        "ruff format",
        "mypy",
        "sqlfluff",
        "engines",
        "import-linter",
    ]


def test_tools_run_without_telemetry_and_without_the_callers_environment(machine_with_uv: Machine) -> None:
    machine_with_uv.environment["VIRTUAL_ENV"] = "/somewhere/else"
    machine_with_uv.make("run")
    seen = machine_with_uv.seen_environment
    assert seen.items() >= TELEMETRY_OFF.items()
    assert seen["UV_PYTHON_DOWNLOADS"] == "never"
    assert "VIRTUAL_ENV" not in seen


def test_dev_starts_dagster_in_its_own_folder_below_a_relative_home(machine_with_uv: Machine) -> None:
    machine_with_uv.install(
        "dagster", '#!/bin/sh\necho "dagster $*" >> "$LOG"\nenv > "$LOG.env"\ncp dagster.yaml "$LOG.yaml"\n'
    )
    machine_with_uv.environment["CATALYST_HOME"] = "my data"
    output = machine_with_uv.make("dev", "PORT=3001").stdout

    home = machine_with_uv.checkout / "my data"
    assert "http://127.0.0.1:3001" in output
    assert machine_with_uv.calls[-1] == "dagster dev -m orchestration.definitions -h 127.0.0.1 -p 3001"
    assert machine_with_uv.seen_environment["CATALYST_HOME"] == str(home)
    assert machine_with_uv.seen_environment["DAGSTER_HOME"] == str(home / "dagster")
    assert yaml.safe_load((machine_with_uv.folder / "log.yaml").read_text())["telemetry"] == {"enabled": False}


def test_dev_keeps_a_dagster_configuration_of_the_users_own(machine_with_uv: Machine) -> None:
    own = machine_with_uv.checkout / ".catalyst" / "dagster" / "dagster.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("run_queue: {max_concurrent_runs: 1}\n")
    machine_with_uv.make("dev")
    assert own.read_text() == "run_queue: {max_concurrent_runs: 1}\n"


def test_beside_a_uv_that_is_too_old_one_is_installed_in_an_environment_of_its_own(machine: Machine) -> None:
    if find_spec("ensurepip") is None:
        pytest.skip("This Python comes without ensurepip, which depends on how the machine packages it.")
    machine.install("uv", OLD_UV)
    machine.install("python3", _python())
    _offer_uv(machine)

    result = machine.make("run")
    assert result.returncode == 0, result.stderr
    assert (machine.checkout / ".uv" / "pyvenv.cfg").exists()
    assert machine.calls == [*SET_UP, "uv run --no-sync catalyst run"]


def test_without_uv_and_where_python_comes_without_venv_its_pip_installs_uv(machine: Machine) -> None:
    if subprocess.run([_base_python(), "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("This Python comes without pip, which depends on how the machine packages it.")
    machine.install("python3", _python(refuse='"$1" = -c'))
    _offer_uv(machine)

    result = machine.make("run")
    assert result.returncode == 0, result.stderr
    assert machine.calls == [*SET_UP, "uv run --no-sync catalyst run"]


def test_where_python_comes_with_neither_venv_nor_pip_a_sentence_says_what_to_install(machine: Machine) -> None:
    machine.install("python3", "#!/bin/sh\nexit 1\n")
    result = machine.make("run")
    assert result.returncode
    assert "Catalyst needs python3-venv to install uv: install it" in result.stderr
    assert not (machine.checkout / ".uv").exists()


def test_where_python_is_missing_a_sentence_says_what_to_install(machine: Machine) -> None:
    result = machine.make("run")
    assert result.returncode
    assert "Catalyst needs python3, version 3.11, 3.12 or 3.13: install it" in result.stderr


def test_where_no_python_fits_a_sentence_says_so_before_anything_is_synced(machine: Machine) -> None:
    machine.install("uv", UV_WITHOUT_PYTHON)
    result = machine.make("run")
    assert result.returncode
    assert "Catalyst needs Python 3.11, 3.12 or 3.13 and found none on the PATH" in result.stderr
    assert not (machine.checkout / ".venv").exists()


def test_the_ci_command_lints_and_tests_with_every_part_required_from_any_folder(tmp_path: Path) -> None:
    log = tmp_path / "log"
    fake_make = tmp_path / "make"
    fake_make.write_text('#!/bin/sh\necho "$PWD|$CATALYST_REQUIRE_ALL|$*" >> "$LOG"\n')
    fake_make.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(
        [REPOSITORY / ".ci" / "run"],
        cwd=tmp_path,
        env={"PATH": path, "LOG": str(log)},
        capture_output=True,
        check=True,
    )
    assert log.read_text().splitlines() == [f"{REPOSITORY}|1|{target}" for target in ("sync", "lint", "test")]


def test_the_ci_workflow_runs_that_command_only_and_may_only_read() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())
    assert [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}


def _base_python() -> str:
    """The Python below the virtual environment that the tests run in."""
    return str(Path(sys.base_prefix) / "bin" / "python3")


def _python(refuse: str = "") -> str:
    condition = f"if [ {refuse} ]; then exit 1; fi\n" if refuse else ""
    return f'#!/bin/sh\n{condition}exec "{_base_python()}" "$@"\n'


def _offer_uv(machine: Machine) -> None:
    """Puts a wheel of the uv above where pip looks instead of at the package registry."""
    wheels = machine.folder / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "uv-0.13.0-py3-none-any.whl", "w") as wheel:
        script = zipfile.ZipInfo("uv-0.13.0.data/scripts/uv")
        script.external_attr = (stat.S_IFREG | 0o755) << 16
        wheel.writestr(script, UV)
        about = "uv-0.13.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    machine.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
