"""Models over weeks of as-of dates: trained, compared, promoted or archived, rolled back; with MLflow on SQLite."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml import catalogue
from orchestration import learning, training, versions
from orchestration.errors import CatalystError
from orchestration.registry import Registry
from orchestration.settings import REPOSITORY, Settings
from orchestration.training import Folder, Trained
from orchestration.warehouse import Warehouse
from tests.commands import catalyst
from tests.ml.simulation import Panel, feature_frame, simulate_panel

NAME = "demand_forecast"
START = 300
DAYS = START + 60
# What MLflow's own tables bring on with SQLAlchemy 2.1; see Registry.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def features(panel: Panel, as_of: int) -> pd.DataFrame:
    """The rows of feature_store.demand_forecast_features for an as-of date, by its index."""
    origins = {
        "train": [as_of - 30 - 17 * number for number in range(1, 12)],
        "backtest": [as_of - 30 + 7 * number for number in range(4)],
        "predict": [as_of],
    }
    parts = []
    for purpose, days in origins.items():
        rows = feature_frame(panel, days, last_day=as_of + 30 if purpose == "predict" else as_of)
        parts.append(rows.assign(purpose=purpose, units=np.nan if purpose == "predict" else rows["units"]))
    return pd.concat(parts, ignore_index=True)


def put(warehouse: Warehouse, frame: pd.DataFrame) -> None:
    dates = {name: frame[name].dt.date for name in ("origin_date", "target_date")}
    rows = pa.Table.from_pandas(frame.assign(**dates), preserve_index=False)
    with warehouse.transaction() as connection:
        connection.register("incoming", rows)
        connection.execute("create schema if not exists feature_store")
        connection.execute("create or replace table feature_store.demand_forecast_features as select * from incoming")


class Weeks:
    """A home in which as-of dates pass."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.warehouse = Warehouse(self.settings.warehouse)
        self.registry = Registry(self.settings.mlflow_uri)

    def refresh(self, as_of: int) -> learning.Choice:
        return learning.refresh(self.warehouse, self.settings, NAME, self.day(as_of))

    def forecast(self, as_of: int) -> pd.DataFrame:
        return learning.predict(self.warehouse, self.settings, NAME, self.day(as_of), "predict").rows

    def day(self, as_of: int) -> date:
        return (pd.Timestamp("2024-01-01") + pd.Timedelta(days=as_of)).date()

    def catalyst(self, *arguments: str, expect: int = 0, **environment: str) -> str:
        home = {"CATALYST_HOME": str(self.settings.home), **environment}
        folder = self.settings.home
        return catalyst("models", *arguments, folder=folder, environment=home, expect=expect).stdout


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulate_panel(days=DAYS)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    return Weeks(tmp_path_factory.mktemp("home"))


def test_models_learn_week_by_week(weeks: Weeks, panel: Panel) -> None:
    # A hold-out of 10 series is too small to judge by: the version stands in, and is no champion.
    early = features(panel, START - 40)
    put(weeks.warehouse, early[early["product_id"] <= "P0005"])
    stand_in = weeks.refresh(START - 40)
    assert (stand_in.version.number, stand_in.is_champion) == (1, False)
    assert "10 entities" in stand_in.decided
    assert stand_in.version.aliases == ("challenger",)
    with pytest.raises(CatalystError, match="has no version as of"):
        weeks.forecast(START - 41)

    # The first that can be judged is promoted; a second run for the date chooses the same and trains nothing.
    put(weeks.warehouse, features(panel, START))
    first = weeks.refresh(START)
    assert (first.version.number, first.is_champion) == (2, True)
    assert first.decided.startswith("promoted: the first version: its error is 0.")
    assert first.trained == "there is no champion yet"
    told = weeks.forecast(START)
    assert weeks.refresh(START).version == first.version
    pd.testing.assert_frame_equal(weeks.forecast(START), told, check_exact=True)
    assert len(weeks.registry.versions(NAME)) == 2

    # The backtest is by the model in use, on days that it has not seen.
    backtest = learning.predict(weeks.warehouse, weeks.settings, NAME, weeks.day(START), "backtest")
    assert backtest.metrics == first.version.metrics
    assert {"units", "seasonal_naive", "p90"} <= set(backtest.rows)

    # The next day trains nothing.
    put(weeks.warehouse, features(panel, START + 1))
    assert weeks.refresh(START + 1) == learning.Choice(first.version, "", "", True)

    # A week later a challenger whose labels were shuffled is archived with the reason.
    sabotaged = features(panel, START + 7)
    is_training = sabotaged["purpose"] == "train"
    shuffled = np.random.default_rng(0).permutation(sabotaged.loc[is_training, "units"])
    sabotaged.loc[is_training, "units"] = shuffled
    put(weeks.warehouse, sabotaged)
    archived = weeks.refresh(START + 7)
    assert archived.trained == "the last training is 7 days old"
    assert archived.decided.startswith("archived: ")
    assert archived.version == weeks.registry.versions(NAME)[1]

    # A fortnight later customers have changed their ways, and a model that knows of it is promoted.
    changed = features(simulate_panel(days=DAYS, weekend_uplift=0.3), START + 14)
    put(weeks.warehouse, changed)
    promoted = weeks.refresh(START + 14)
    assert promoted.version.number == 4
    assert "lower error than the champion" in promoted.decided
    assert [one.aliases for one in weeks.registry.versions(NAME)] == [(), (), (), ("champion",)]

    # A run for a past date chooses what it chose then.
    put(weeks.warehouse, features(panel, START))
    assert weeks.refresh(START).version.number == 2
    pd.testing.assert_frame_equal(weeks.forecast(START), told, check_exact=True)


def test_a_person_goes_back_and_forth_and_it_is_kept_who_when_and_why(weeks: Weeks, panel: Panel) -> None:
    put(weeks.warehouse, features(panel, START + 14))
    said = weeks.catalyst("rollback", NAME, "--reason", "the shops complain")
    assert f"Version 2 of {NAME} is the champion as of {weeks.day(START + 14)}." in said
    assert weeks.refresh(START + 14).version.number == 2
    listed = {one["version"]: one for one in json.loads(weeks.catalyst("--json"))}
    assert listed[2]["aliases"] == ["champion"]
    assert listed[2]["reason"] == "the shops complain"
    assert listed[2]["decisions"][-1]["by"] == versions_by()
    weeks.catalyst("promote", NAME, "4")
    assert weeks.refresh(START + 14).version.number == 4
    assert "promoted by hand" in weeks.catalyst()
    assert weeks.catalyst("retrain", NAME).startswith(f"The next run as of {weeks.day(START + 14)} or later trains")
    request = weeks.registry.request(NAME)
    known = weeks.registry.versions(NAME)
    assert versions.why_train(known, weeks.day(START + 15), 7, request).endswith("asked for it: asked for by hand")


def versions_by() -> str:
    import getpass

    return getpass.getuser()


def test_the_commands_of_the_guide_work_as_written(weeks: Weeks) -> None:
    guide = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    lines = re.findall(r"^catalyst models(.*)$", guide, flags=re.MULTILINE)
    said = [weeks.catalyst(*shlex.split(line, comments=True)) for line in lines]
    assert [text.split(maxsplit=3)[:3] for text in said[2:]] == [
        ["Version", "3", "of"],
        ["Version", "4", "of"],
        ["The", "next", "run"],
    ]


def test_what_mlflow_shows_of_a_version_is_whole(weeks: Weeks) -> None:
    from mlflow import MlflowClient

    first = weeks.registry.versions(NAME)[1]
    run = MlflowClient(weeks.settings.mlflow_uri).get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["learning_rate"] == "0.15"
    assert run.data.metrics["naive_wape"] == first.metrics["naive_wape"]
    assert run.data.tags["data.as_of"] == weeks.day(START).isoformat()
    assert run.data.tags["data.holdout.rows"] == str(int(first.metrics["rows"]))
    folder = weeks.settings.home / "mlflow" / "artifacts" / NAME / first.run_id / "artifacts" / "model"
    assert {file.name for file in folder.iterdir()} == {
        "MLmodel",
        "feature_importance.svg",
        "input_example.json",
        "model.skops",
        "model_card.md",
        "reference.parquet",
    }
    assert "signature:" in (folder / "MLmodel").read_text()


def test_a_home_that_was_copied_keeps_its_models_apart_from_the_old_one(weeks: Weeks, tmp_path: Path) -> None:
    import shutil

    copied = Weeks(Path(shutil.copytree(weeks.settings.home, tmp_path / "copy")))
    first = copied.registry.versions(NAME)[1]
    shutil.rmtree(copied.settings.home / "mlflow" / "artifacts" / NAME / first.run_id)
    with pytest.raises(CatalystError, match="does not do what it is asked"):
        copied.registry.load(first)
    assert weeks.registry.load(first)


def test_a_champion_that_cannot_be_read_any_more_is_trained_anew(
    tmp_path: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks = Weeks(tmp_path)
    put(weeks.warehouse, features(panel, START))
    old = weeks.refresh(START).version
    module = catalogue.model(NAME)
    # As after an update of the module, which holds its quantiles in another way than the stored version.
    [stored] = (tmp_path / "mlflow").rglob("model.skops")
    monkeypatch.setattr(module, "TRUSTED", tuple(name for name in module.TRUSTED if "quantiles" not in name))
    with pytest.raises(CatalystError, match=r"Version 1 of demand_forecast is not loaded: .*catalyst models promote"):
        weeks.forecast(START)
    monkeypatch.undo()
    with zipfile.ZipFile(stored) as file:
        content = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(stored, "w") as file:
        for name, data in content.items():
            file.writestr(name, data.replace(b"CountQuantiles", b"RatioQuantiles"))
    put(weeks.warehouse, features(panel, START + 1))
    new = weeks.refresh(START + 1)
    assert "is not loaded" in new.trained
    assert new.decided.startswith("promoted: version 1 is not readable any more; ")
    assert new.version.number == old.number + 1
    assert len(weeks.forecast(START + 1))


def unusable(tmp_path: Path, panel: Panel) -> Folder:
    """What a training is given, with a level that cannot be."""
    folder = Folder(str(tmp_path / "work"))
    rows = pa.Table.from_pandas(features(panel, START).assign(level=-1.0), preserve_index=False)
    for file in (training.TRAINING, training.HOLDOUT):
        folder.write_rows(file, rows)
    return folder


def test_rows_that_no_model_can_use_end_the_training_with_a_sentence(tmp_path: Path, panel: Panel) -> None:
    settings, folder = Settings(home=tmp_path), unusable(tmp_path, panel)
    with training.apart(settings, NAME, folder) as work, pytest.raises(CatalystError, match="unusable rows"):
        work.wait()
    with training.apart(settings, NAME, folder) as work:
        work.process.kill()
        with pytest.raises(CatalystError, match="ended by signal 9, as it is where memory runs out"):
            work.wait()


def test_what_a_training_has_said_holds_though_a_library_aborts_the_process_at_its_end(
    tmp_path: Path, panel: Panel
) -> None:
    folder = unusable(tmp_path, panel)
    code = "import atexit, os; atexit.register(os.abort); from orchestration import training; training.main()"
    command = [sys.executable, "-c", code, NAME, folder.url]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "unusable rows" in done.stderr


def test_too_little_history_is_told_and_the_training_that_waits_for_it_ended(tmp_path: Path, panel: Panel) -> None:
    weeks = Weeks(tmp_path)
    rows = features(panel, START)
    put(weeks.warehouse, rows[rows["purpose"] != "backtest"])
    with pytest.raises(CatalystError, match="There is too little history before"):
        weeks.refresh(START)


def test_a_server_by_url_keeps_models_and_artifacts(tmp_path: Path, panel: Panel, mlflow_server: str) -> None:
    model = catalogue.model(NAME)
    registry = Registry(mlflow_server)
    assert registry.versions(NAME) == []
    frame = features(panel, START)
    first = frame.loc[frame["purpose"] == "backtest", "origin_date"].min()
    known = frame[(frame["purpose"] == "backtest") | (frame["target_date"] <= first)]
    for number, last_product in enumerate(("P0003", "P0004")):
        folder = Folder(str(tmp_path / str(number)))
        for file, purpose in ((training.TRAINING, "train"), (training.HOLDOUT, "backtest")):
            rows = known[(known["purpose"] == purpose) & (known["product_id"] <= last_product)]
            folder.write_rows(file, pa.Table.from_pandas(rows, preserve_index=False))
        training.train(model, folder)
        as_of = date(2026, 6, 1 + number)
        trained = Trained(folder, as_of, str(number), model.TRUSTED, model.PARAMS, {})
        kept = registry.add(NAME, trained)
        registry.decide(kept, versions.PROMOTED, f"reason {number}", as_of)
        assert registry.load(kept) == folder.read(training.MODEL)
        assert registry.add(NAME, trained).number == kept.number == number + 1
    weeks = Weeks(tmp_path)

    def aliases() -> list[list[str]]:
        return [one["aliases"] for one in json.loads(weeks.catalyst("--json", CATALYST_MLFLOW_URI=mlflow_server))]

    assert aliases() == [[], ["champion"]]
    weeks.catalyst("rollback", NAME, CATALYST_MLFLOW_URI=mlflow_server)
    assert aliases() == [["champion"], ["challenger"]]
    weeks.catalyst("promote", NAME, "2", CATALYST_MLFLOW_URI=mlflow_server)
    assert aliases() == [[], ["champion"]]


def test_a_server_that_is_away_is_told_with_what_to_do() -> None:
    with pytest.raises(CatalystError, match="CATALYST_MLFLOW_URI names a running MLflow server"):
        Registry("http://127.0.0.1:9").versions(NAME)


def test_a_model_that_was_never_trained_is_told_with_those_there_are(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    assert "No model has been trained yet" in weeks.catalyst()
    assert json.loads(weeks.catalyst("--json")) == []
    assert "No model sales has been trained; there are: none" in weeks.catalyst("rollback", "sales", expect=1)
