"""Every setting, read once from environment variables prefixed CATALYST_, so that no other module looks for one."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestration.errors import CatalystError

REPOSITORY = Path(__file__).resolve().parent.parent

# Nothing leaves the machine unasked, and nothing waits for a network that may not be there.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}


def _home_of(project: Path) -> Path:
    # Two companies never share a warehouse unasked.
    return (REPOSITORY if project == REPOSITORY / "dbt_project" else project) / ".catalyst"


class Settings(BaseSettings):
    """Where things are; see the fields for the environment variable of each (CATALYST_<FIELD>)."""

    model_config = SettingsConfigDict(env_prefix="CATALYST_", frozen=True)

    project: Path = Field(
        default=REPOSITORY / "dbt_project",
        description="The dbt project to build; one of your own brings its contracts in a folder `feeds` of its own.",
    )
    home: Path = Field(
        default_factory=lambda chosen: _home_of(chosen["project"]),
        description="Folder of every local file: the warehouse, the published copy, reports, the simulated company.",
    )

    target: Literal["local", "prod"] = Field(
        default="local", description="Where the warehouse is: local = a DuckDB file in CATALYST_HOME, prod = BigQuery."
    )
    gcp_project: str = Field(default="", description="The Google Cloud project of BigQuery; the target prod needs it.")
    location: str = Field(default="US", description="Where the datasets of BigQuery are, such as EU or europe-west3.")
    landing_bucket: str = Field(
        default_factory=lambda chosen: f"{chosen['gcp_project']}-catalyst-landing",
        description="The bucket by which rows land in BigQuery; by default that which infra/terraform makes.",
    )
    pii_policy_tag: str = Field(
        default="", description="The policy tag of personal data in BigQuery; empty = such columns are read as others."
    )
    mlflow_uri: str = Field(
        default_factory=lambda chosen: f"sqlite:///{chosen['home']}/mlflow/mlflow.db",
        description="The tracking server of MLflow, such as https://mlflow.example.com; without one, a file.",
    )
    redis_url: str = Field(
        default="", description="The online store of features, such as redis://host:6379/0; a file without one."
    )
    alerts: str = Field(
        default="",
        description="Where alerts go besides the folder `alerts`: Apprise URLs (slack://, mailto://, ...), by blanks.",
    )

    @field_validator("home", "project", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @property
    def is_default_project(self) -> bool:
        """Whether the simulated company, rather than a project of the user's own, is being run."""
        return self.project == REPOSITORY / "dbt_project"

    @property
    def built_in_feeds(self) -> Path:
        """The folder of the contracts that the built-in dbt project reads."""
        return REPOSITORY / "orchestration" / "feeds"

    @property
    def feeds(self) -> Path:
        """The folder of the contracts to land."""
        return self.built_in_feeds if self.is_default_project else self.project / "feeds"

    @property
    def warehouse(self) -> Path:
        """The one DuckDB file that a run writes."""
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The folder of the read-only copies for BI tools, the API and reports."""
        return self.home / "published"

    @property
    def secrets(self) -> Path:
        """The file of credentials, `NAME=value` a line; what the environment says already counts for more."""
        return self.home / "secrets.env"

    @property
    def data_docs(self) -> Path:
        """The folder of the pages that show what the gate found, feed by feed."""
        return self.home / "data_docs"

    @property
    def reports(self) -> Path:
        """The folder of the HTML reports, one a date."""
        return self.home / "reports"

    @property
    def dbt_docs(self) -> Path:
        """The page of dbt's documentation; beside the reports, which link to it."""
        return self.reports / "dbt_docs.html"

    @property
    def dagster_home(self) -> Path:
        """The folder in which Dagster keeps runs and asset history."""
        return self.home / "dagster"

    @property
    def dbt_target(self) -> Path:
        """The folder of dbt's own products (manifest, run results) of the runs that Catalyst starts."""
        # Parsed for another engine, a project is another one.
        return self.home / "dbt" / f"{self.project.name}{'' if self.target == 'local' else f'-{self.target}'}"

    @cached_property
    def child_environment(self) -> dict[str, str]:
        """The environment for processes that a run starts: the caller's, with the paths absolute and telemetry off."""
        return {
            **os.environ,
            **TELEMETRY_OFF,
            "CATALYST_HOME": str(self.home),
            "CATALYST_PROJECT": str(self.project),
            "DAGSTER_HOME": str(self.dagster_home),
            "CATALYST_TARGET": self.target,
            "CATALYST_GCP_PROJECT": self.gcp_project,
            "CATALYST_LOCATION": self.location,
            "CATALYST_PII_POLICY_TAG": self.pii_policy_tag,
        }


def load() -> Settings:
    """Reads the settings from the environment and switches every library's telemetry off in this process.

    The entries of the secrets file become part of the environment, from where contracts take them by `${NAME}`.

    Raises:
        CatalystError: A setting has a value that it cannot have, or the target lacks what it needs.
    """
    os.environ.update(TELEMETRY_OFF)
    for name, value in dotenv_values(_read().secrets).items():
        if value is not None:
            os.environ.setdefault(name, value)
    chosen = _read()
    if chosen.target == "prod" and not chosen.gcp_project:
        raise CatalystError(
            "CATALYST_TARGET=prod needs the Google Cloud project of its warehouse: set CATALYST_GCP_PROJECT to its id."
        )
    return chosen


def _read() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        # A default that is made of a wrong setting is wrong for that reason alone.
        own = [found for found in error.errors() if found["type"] != "default_factory_not_called"]
        wrong = [f"CATALYST_{'_'.join(map(str, found['loc'])).upper()}: {found['msg']}" for found in own]
        raise CatalystError(
            f"A setting cannot be read ({'; '.join(wrong)}). Mend that environment variable."
        ) from error
