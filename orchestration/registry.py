"""Where trained models are kept: MLflow (its only importer), in a file of CATALYST_HOME or on a server by URL."""

from __future__ import annotations

import getpass
import io
import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import versions
from orchestration.errors import CatalystError
from orchestration.registry_place import follow
from orchestration.training import CARD, INPUT, MODEL, OUTPUT, PLOT, REFERENCE, Trained
from orchestration.versions import BY_RULE, Decision, Request, Version

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

_REQUEST = "retrain"
_OURS = "catalyst"
_ARTIFACTS = "model"
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Registry:
    """The models under a tracking URI of MLflow."""

    uri: str

    def open(self) -> None:
        """Makes it ready; a new file takes MLflow some 4 s for its tables.

        Raises:
            CatalystError: The server cannot be reached, or the file not be opened.
        """
        with self._asking():
            self._client.search_registered_models(max_results=1)

    def names(self) -> list[str]:
        """Returns the names of our models; a server may keep those of others, too."""
        if self._is_new:
            return []
        with self._asking():
            found = self._client.search_registered_models(f"tags.{_OURS} = 'true'", max_results=1000)
            return sorted(model.name for model in found)

    def versions(self, name: str) -> list[Version]:
        """Returns the versions of a model, the oldest first; none where there is no such model."""
        if self._is_new:
            return []
        with self._asking():
            found = self._client.search_registered_models(f"name = '{name}'")
            if not found:
                return []
            aliases: dict[int, list[str]] = {}
            for alias, number in found[0].aliases.items():
                aliases.setdefault(int(number), []).append(alias)
            kept = self._client.search_model_versions(f"name = '{name}'", max_results=10_000)
        read = [
            versions.read(name, int(one.version), str(one.run_id), one.tags, sorted(aliases.get(int(one.version), ())))
            for one in kept
            if "fingerprint" in one.tags
        ]
        return sorted(read, key=lambda version: version.number)

    def add(self, name: str, trained: Trained) -> Version:
        """Keeps a trained model as the next version; the same model for the same inputs is kept once."""
        result = trained.folder.result()
        for version in self.versions(name):
            same = (version.fingerprint, version.inputs, version.as_of)
            if same == (result["fingerprint"], trained.inputs, trained.as_of):
                return version
        with self._asking():
            run_id = self._log(name, trained, result)
            if not self._client.search_registered_models(f"name = '{name}'"):
                self._client.create_registered_model(name, tags={_OURS: "true"})
            # Last of all: a version that is there is whole.
            number = self._client.create_model_version(
                name,
                f"runs:/{run_id}/{_ARTIFACTS}",
                run_id,
                tags={
                    "fingerprint": result["fingerprint"],
                    "as_of": trained.as_of.isoformat(),
                    "trained_through": result["trained_through"],
                    "inputs": trained.inputs,
                    "metrics": json.dumps(result["metrics"]),
                },
                description=trained.folder.read(CARD).decode(),
            ).version
        return versions.find(self.versions(name), name, str(number))

    def decide(self, version: Version, outcome: str, reason: str, as_of: date) -> None:
        """Keeps what the rule has decided for a date in place of what it had decided for that date before."""
        key = f"{versions.DECISION}{as_of.isoformat()}"
        with self._asking():
            for other in self.versions(version.name):
                if any(one.as_of == as_of and not one.is_by_hand for one in other.decisions):
                    self._client.delete_model_version_tag(version.name, str(other.number), key)
        self._keep(version, key, Decision(as_of, _now(), outcome, BY_RULE, reason))

    def promote(self, version: Version, reason: str) -> Decision:
        """Makes a version the champion by hand, from the last date that was decided on."""
        as_of = versions.latest_date(self.versions(version.name))
        at = _now()
        key = f"{versions.DECISION}{as_of.isoformat()}.{re.sub('[^0-9]', '', at)}"
        decision = Decision(as_of, at, versions.PROMOTED, _who(), reason)
        self._keep(version, key, decision)
        return decision

    def ask(self, name: str, reason: str, as_of: date | None = None, by: str = "") -> Request:
        """Asks for a training of a model at the next run.

        Args:
            name: The model.
            reason: Why.
            as_of: The first date whose run is to train; the last one that was run on, if not given.
            by: Who asks; the user of this process, if not given.

        Raises:
            CatalystError: There is no such model.
        """
        known = self.versions(name)
        if not known:
            raise CatalystError(f"No version of {name} has been trained yet: `catalyst run` trains the first one.")
        request = Request(as_of or versions.latest_date(known), _now(), by or _who(), reason)
        with self._asking():
            self._client.set_registered_model_tag(name, _REQUEST, json.dumps(versions.plain(request)))
        return request

    def request(self, name: str) -> Request | None:
        """Returns the last wish that a model be trained."""
        with self._asking():
            found = self._client.search_registered_models(f"name = '{name}'")
        text = found[0].tags.get(_REQUEST) if found else None
        return versions.request(text) if text else None

    def load(self, version: Version) -> bytes:
        """Returns the stored model of a version."""
        return self._read(version, MODEL)

    def card(self, version: Version) -> str:
        """Returns the model card of a version, in markdown."""
        return self._read(version, CARD).decode()

    def reference(self, version: Version) -> pd.DataFrame | None:
        """Returns a sample of what a version was trained on, with its predictions; None where none was kept."""
        from pyarrow import parquet

        with self._asking():
            kept = [file.path for file in self._client.list_artifacts(version.run_id, _ARTIFACTS)]
        if f"{_ARTIFACTS}/{REFERENCE}" not in kept:
            return None
        found: pd.DataFrame = parquet.read_table(io.BytesIO(self._read(version, REFERENCE))).to_pandas()
        return found

    def _read(self, version: Version, name: str) -> bytes:
        with self._asking(), tempfile.TemporaryDirectory() as folder:
            path = self._client.download_artifacts(version.run_id, f"{_ARTIFACTS}/{name}", folder)
            return Path(path).read_bytes()

    def _keep(self, version: Version, key: str, decision: Decision) -> None:
        with self._asking():
            text = json.dumps(versions.plain(decision))
            self._client.set_model_version_tag(version.name, str(version.number), key, text)
            known = self.versions(version.name)
            champion, newest = versions.champion(known), known[-1]
            wanted = {
                "champion": champion,
                "challenger": newest if not champion or newest.number != champion.number else None,
            }
            for alias, target in wanted.items():
                if target:
                    self._client.set_registered_model_alias(version.name, alias, str(target.number))
                elif any(alias in one.aliases for one in known):
                    self._client.delete_registered_model_alias(version.name, alias)

    def _log(self, name: str, trained: Trained, result: dict[str, Any]) -> str:
        """Logs the run of a training, with all that is known about it, and returns its id."""
        from mlflow.entities import Metric, Param, RunTag

        found = self._client.get_experiment_by_name(name)
        here = f"{self._file.parent.as_uri()}/artifacts/{name}" if self._file else None
        experiment = found.experiment_id if found else self._client.create_experiment(name, here)
        run = self._client.create_run(experiment, run_name=f"{trained.as_of} {result['fingerprint']}")
        run_id = str(run.info.run_id)
        at = run.info.start_time
        figures = {**result["metrics"], **{key: result[key] for key in ("seconds_per_1000_rows", "megabytes")}}
        self._client.log_batch(
            run_id,
            metrics=[Metric(key, value, at, 0) for key, value in figures.items()],
            params=[Param(key, f"{value:g}") for key, value in trained.params.items()],
            tags=[RunTag(f"data.{key}", value) for key, value in trained.data.items()],
        )
        with tempfile.TemporaryDirectory() as folder:
            for file in (MODEL, CARD, PLOT, REFERENCE):
                (Path(folder) / file).write_bytes(trained.folder.read(file))
            _describe(name, trained, Path(folder))
            self._client.log_artifacts(run_id, folder, _ARTIFACTS)
        self._client.set_terminated(run_id)
        return run_id

    @property
    def _file(self) -> Path | None:
        return Path(self.uri.removeprefix(_SQLITE)) if self.uri.startswith(_SQLITE) else None

    @property
    def _is_new(self) -> bool:
        """Whether nothing can be in it, which is told without the seconds that opening it takes."""
        return self._file is not None and not self._file.exists()

    @cached_property
    def _client(self) -> MlflowClient:
        # A server that is away is told after seconds, not after the minutes that MLflow would try.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        for noisy in ("alembic", "mlflow"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            follow(self._file)
        with warnings.catch_warnings():
            # MLflow's tables use a loader that SQLAlchemy 2.1 advises against.
            warnings.filterwarnings("ignore", message=".*noload.*")
            from mlflow import MlflowClient

            if self._file and self._is_new:
                # Made beside its place: MLflow can't go on with tables that a run left half made when it was ended.
                fresh = self._file.with_suffix(".new")
                fresh.unlink(missing_ok=True)
                MlflowClient(f"{_SQLITE}{fresh}")
                fresh.replace(self._file)
            return MlflowClient(self.uri, self.uri)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError) as error:
            # The URI of a database holds a password.
            place = re.sub("//[^@/]*@", "//...@", self.uri)
            raise CatalystError(
                f"The model registry {place} does not do what it is asked ({str(error).splitlines()[0]}). Look "
                "whether CATALYST_MLFLOW_URI names a running MLflow server, or leave it empty for a file in "
                "CATALYST_HOME, and run again."
            ) from error


def _describe(name: str, trained: Trained, folder: Path) -> None:
    """Writes the description that MLflow reads of a model: its signature, an example and the types to trust."""
    from mlflow.models import Model, infer_signature

    example, answer = trained.folder.frame(INPUT), trained.folder.frame(OUTPUT)
    example.to_json(folder / "input_example.json", orient="split", date_format="iso", index=False)
    with warnings.catch_warnings():
        # That a whole number may be missing one day: the features are numbers, and a missing one is NaN.
        warnings.filterwarnings("ignore", message=".*integer column.*")
        signature = infer_signature(example, answer)
    described = Model(signature=signature)
    described.saved_input_example_info = {
        "artifact_path": "input_example.json",
        "type": "dataframe",
        "pandas_orient": "split",
    }
    described.add_flavor("skops", model=name, data=MODEL, trusted=list(trained.trusted))
    described.save(str(folder / "MLmodel"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user id without a name.
        return f"user {os.getuid()}"
