"""infra/terraform is what a real Terraform accepts, and what it would make is what the architecture asks for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import REPOSITORY, Settings
from tests.conftest import Requires
from tests.terraform import environment

MODULE = REPOSITORY / "infra" / "terraform"
FILES = sorted(MODULE.glob("*.tf"))
SKIP = re.compile(r"#\s*checkov:skip=(\w+)(?::(.*))?$", re.MULTILINE)
WRONG = """
resource "google_storage_bucket" "wrong" {
  name = "no-location"
}
resource "google_secret_manager_secret" "wrong" {
  secret_id = "no-replication"
}
resource "google_sql_database_instance" "wrong" {
  database_version = "POSTGRES_18"
  keeper {}
}
resource "google_bigquery_dataset" "wrong" {
  dataset_id                  = "wrong"
  default_table_expiration_ms = "a day"
}
"""
VERSIONING = "  versioning {\n    enabled = true\n  }\n"


@pytest.fixture(scope="module", autouse=True)
def _environment(requires: Requires) -> None:
    """Terraform and checkov; a machine that can't reach the package registry may lack them."""
    try:
        environment.make()
    except (OSError, subprocess.TimeoutExpired) as error:
        requires(None, f"The environment of Terraform cannot be made: {error}")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A copy of the module to run in or to change; what Terraform writes stays out of the repository."""
    copied = shutil.copytree(MODULE, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    return Path(copied)


def _change(module: Path, file: str, old: str, new: str) -> None:
    path = module / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_terraform_accepts_it_and_in_prod_it_makes_what_it_should(module: Path) -> None:
    done = environment.terraform(
        module, "init -backend=false", "validate", "fmt -check -recursive -diff", "test -var-file=envs/prod.tfvars"
    )
    assert done.returncode == 0, done.stdout
    assert "The configuration is valid." in done.stdout
    assert "0 failed" in done.stdout


def test_staging_plans_too(module: Path) -> None:
    tests = "test -filter=tests/datasets.tftest.hcl -filter=tests/run.tftest.hcl -var-file=envs/staging.tfvars"
    done = environment.terraform(module, "init -backend=false", tests)
    assert done.returncode == 0, done.stdout
    assert "0 failed" in done.stdout


def test_a_misspelt_argument_is_refused(module: Path) -> None:
    _change(module, "datasets.tf", "default_partition_expiration_ms", "default_partition_expiry_ms")
    done = environment.terraform(module, "init -backend=false", "validate")
    assert done.returncode == 1
    assert "Unsupported argument" in done.stdout
    assert 'An argument named "default_partition_expiry_ms" is not expected here.' in done.stdout


def test_whatever_else_google_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.tf").write_text(WRONG, encoding="utf-8")
    said = environment.terraform(tmp_path, "init -backend=false", "validate").stdout
    assert 'The argument "location" is required, but no definition was found.' in said
    assert 'At least 1 "replication" blocks are required.' in said
    assert 'Blocks of type "keeper" are not expected here.' in said
    assert 'Inappropriate value for attribute "default_table_expiration_ms": a number' in said


def test_marts_that_expire_and_bi_tools_that_read_raw_are_refused(module: Path) -> None:
    _change(module, "identities.tf", "reads       = local.published", "reads       = local.raw_datasets")
    never = "  dataset_id            = each.key\n"
    _change(module, "datasets.tf", never, never + "  default_partition_expiration_ms = 7776000000\n")
    tests = "test -filter=tests/access.tftest.hcl -filter=tests/datasets.tftest.hcl -var-file=envs/prod.tfvars"
    done = environment.terraform(module, "init -backend=false", tests)
    assert done.returncode == 1
    # Terraform breaks its messages into lines of the terminal's width.
    said = " ".join(done.stdout.replace("│", " ").split())
    assert "Only raw may expire" in said
    assert "BI tools must read what is published and nothing else." in said
    assert "ml, serving and BI must not reach them." in said


def test_every_source_has_a_dataset() -> None:
    sources = {folder.name for folder in (REPOSITORY / "orchestration" / "feeds").iterdir() if folder.is_dir()}
    variables = (MODULE / "variables.tf").read_text(encoding="utf-8")
    default = re.search(r'variable "sources" \{.*?default = \[(.*?)\]', variables, re.DOTALL)
    assert default
    assert set(re.findall(r'"(\w+)"', default[1])) == sources


def test_every_setting_that_it_gives_is_one_of_catalyst() -> None:
    named = set(re.findall(r"\bCATALYST_(\w+)\b", "".join(path.read_text(encoding="utf-8") for path in FILES)))
    assert {"TARGET", "GCP_PROJECT", "LOCATION", "LANDING_BUCKET", "PII_POLICY_TAG"} <= named
    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


def test_checkov_finds_nothing_that_is_not_explained_and_sees_what_is_broken(module: Path) -> None:
    # Both in one run, as its start takes longer than its checks.
    broken = module / "broken"
    broken.mkdir()
    shutil.copy(module / "landing.tf", broken)
    _change(broken, "landing.tf", f"{VERSIONING}\n  # Rows", "  # Rows")
    found: dict[str, Any] = json.loads(environment.checkov(module).stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 50
    failed = [(check["check_id"], check["file_path"], check["resource"]) for check in found["results"]["failed_checks"]]
    assert failed == [("CKV_GCP_78", "/broken/landing.tf", "google_storage_bucket.landing")]
    skipped = found["results"]["skipped_checks"]
    passed_over = {(check["check_id"], check["check_result"]["suppress_comment"]) for check in skipped}
    assert passed_over == set(_skips()), "A check is passed over that would not fail."


def test_every_check_that_is_passed_over_has_its_reason() -> None:
    assert len(_skips()) > 3
    assert [check for check, reason in _skips() if len(reason.split()) < 5] == []


def test_a_check_that_is_passed_over_without_a_reason_is_seen() -> None:
    assert SKIP.findall("  #checkov:skip=CKV_GCP_84\n  # checkov:skip=CKV_GCP_81:x y") == [
        ("CKV_GCP_84", ""),
        ("CKV_GCP_81", "x y"),
    ]


def _skips() -> list[tuple[str, str]]:
    return [skip for path in FILES for skip in SKIP.findall(path.read_text(encoding="utf-8"))]
