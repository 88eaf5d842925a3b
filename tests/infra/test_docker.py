"""The image cannot be built in a test, so what its recipe names is held against what there is."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
import yaml

from orchestration.registry import Registry
from orchestration.settings import REPOSITORY, TELEMETRY_OFF
from tests.parts.postgres import Postgres

DOCKER = REPOSITORY / "infra" / "docker"
RECIPE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
WORKFLOW = REPOSITORY / ".github" / "workflows" / "deploy.yml"


def test_everything_that_the_image_copies_is_there_and_reaches_the_builder() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[:-1] for line in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)$", RECIPE, re.MULTILINE)]
    sources = [source for line in copied for source in line]
    assert "orchestration" in sources
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    assert [source for source in sources if f"!{source}" not in ignored] == []


def test_the_image_sends_no_telemetry() -> None:
    assert {name: value for name, value in TELEMETRY_OFF.items() if f"{name}={value}" not in RECIPE} == {}


def test_the_image_does_not_run_as_root() -> None:
    user = re.search(r"^USER (\w+)$", RECIPE, re.MULTILINE)
    uid = re.search(r"--uid (\d+)", RECIPE)
    assert user
    assert user[1] != "root"
    assert uid
    # Cloud Run mounts a bucket as root's unless told whose it is.
    assert f"uid={uid[1]}" in (REPOSITORY / "infra" / "terraform" / "run.tf").read_text(encoding="utf-8")


def test_dagster_keeps_its_runs_in_the_postgres_that_a_variable_names(
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import dagster as dg

    (tmp_path / "dagster.yaml").write_text((DOCKER / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres.url.replace("postgresql:", "postgresql+psycopg2:"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with dg.DagsterInstance.get() as instance:

            @dg.asset
            def sales() -> None:
                """Something to run."""

            done = dg.materialize([sales], instance=instance)
    assert postgres.rows("select run_id, status from runs") == [(done.run_id, "SUCCESS")]


def test_models_are_kept_in_the_postgres_and_the_bucket_that_variables_name(
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert '"_MLFLOW_SERVER_ARTIFACT_ROOT"' in (REPOSITORY / "infra" / "terraform" / "run.tf").read_text("utf-8")
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", tmp_path.as_uri())
    client = Registry(postgres.url.replace("postgresql:", "postgresql+psycopg2:"))._client
    run = client.create_run(client.create_experiment("demand_forecast"))
    client.log_text(run.info.run_id, "a model", "model.txt")
    client.create_registered_model("demand_forecast")
    assert [path.read_text("utf-8") for path in tmp_path.rglob("model.txt")] == ["a model"]
    assert postgres.rows("select name from registered_models") == [("demand_forecast",)]


def test_the_workflow_signs_in_without_a_key() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    [job] = yaml.safe_load(text)["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    # GitHub names it in what it says of the job, by which Google knows it.
    assert job["environment"] == "${{ matrix.environment }}"
    assert [f"{name}.tfvars" for name in job["strategy"]["matrix"]["environment"]] == ["staging.tfvars", "prod.tfvars"]
    assert "workload_identity_provider" in text
    assert not re.search(r"credentials_json|secrets\.", text)
