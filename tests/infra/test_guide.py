"""The guide to BigQuery cannot be followed without a cloud; what it names is held against what there is."""

from __future__ import annotations

import re
import subprocess

import pytest
import sqlalchemy as sa

from orchestration.settings import REPOSITORY, Settings

PAGE = (REPOSITORY / "docs" / "bigquery.md").read_text(encoding="utf-8")
TERRAFORM = "".join(
    path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "infra" / "terraform").glob("*.tf"))
)
VARIABLES = set(re.findall(r'^variable "(\w+)"', TERRAFORM, re.MULTILINE))
OUTPUTS = set(re.findall(r'^output "(\w+)"', TERRAFORM, re.MULTILINE))
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", maxsplit=1)[0][:40])
def test_every_block_of_commands_is_one_that_a_shell_reads(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_every_output_and_variable_of_terraform_that_it_names_is_there() -> None:
    assert set(re.findall(r"terraform output (?:-raw |-json )?(\w+)", PAGE)) <= OUTPUTS
    assert set(re.findall(r'-var="(\w+)=', PAGE)) <= VARIABLES
    named = {"sources", "bi_groups", "pii_groups", "row_access", "secrets", "settings", "schedule", "github_repository"}
    assert {name for name in named if f"`{name}" not in PAGE} == set()
    assert named <= VARIABLES


def test_every_setting_that_it_names_is_one_of_catalyst() -> None:
    read_by_dbt = (REPOSITORY / "dbt_project" / "profiles.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"CATALYST_[A-Z_]+", PAGE))
    others = {name for name in named if name.removeprefix("CATALYST_").lower() not in Settings.model_fields}
    assert {name for name in others if f"'{name}'" not in read_by_dbt} == set()


def test_every_account_that_it_names_is_made() -> None:
    made = {f"catalyst-{duty}" for duty in re.findall(r"^    (\w+) = \{\n      description", TERRAFORM, re.MULTILINE)}
    made |= set(re.findall(r'account_id   = "(catalyst-\w+)"', TERRAFORM))
    others = {"catalyst-run", "catalyst-landing", "catalyst-reports", "catalyst-models", "catalyst-state"}
    assert set(re.findall(r"\bcatalyst-[a-z]+\b", PAGE)) - others <= made
    assert {"catalyst-ingest", "catalyst-runner", "catalyst-bi", "catalyst-deployer"} <= made


def test_the_addresses_of_postgres_are_for_the_driver_that_dagster_speaks() -> None:
    addresses = [sa.make_url(found.replace("$PASSWORD", "secret")) for found in re.findall(r'"(postgresql\S+)\?', PAGE)]
    assert {(url.drivername, url.database) for url in addresses} == {
        ("postgresql+psycopg2", "dagster"),
        ("postgresql+psycopg2", "mlflow"),
    }


def test_what_each_duty_may_do_is_told_as_it_is_granted() -> None:
    identities = (REPOSITORY / "infra" / "terraform" / "identities.tf").read_text(encoding="utf-8")
    transform = re.search(r"transform = \{.*?writes = \[(.*?)\]", identities, re.DOTALL)
    assert transform
    [row] = re.findall(r"^\| `catalyst-transform` \| (.*?) \|", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == re.findall(r'"(\w+)"', transform[1])
