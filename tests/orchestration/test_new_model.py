"""A model is three files: written into a copy of Catalyst, they are prepared, trained, promoted and predicted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.settings import REPOSITORY

MODULE = '''
"""What each thing weighs tomorrow."""

from dataclasses import dataclass

import numpy as np

from ml.frames import floats
from ml.metrics import row_losses, wape

NAME, ENTITY, KEYS = "weights", ("thing_id",), ("origin_date", "target_date", "thing_id")
FEATURES, TARGET, BASELINE, SEGMENT = ("size",), "weight", "naive", "kind"
PREDICTED, INTERVAL, LOSS = "mean_weight", None, "absolute"
PARAMS, RETRAIN_AFTER_DAYS = {}, 7
TRUSTED = ("ml.models.weights.Weights",)


@dataclass(frozen=True)
class Weights:
    version: str
    trained_through: str
    slope: float


def train(frame):
    return Weights("3f1e5", str(frame["target_date"].max()), float((frame["weight"] / frame["size"]).mean()))


def predict(model, frame):
    return frame[list(KEYS)].assign(mean_weight=model.slope * floats(frame["size"]))


def evaluate(model, frame):
    return {"wape": wape(floats(frame["weight"]), floats(predict(model, frame)["mean_weight"]))}


def losses(model, frame):
    foretold = floats(predict(model, frame)["mean_weight"])
    return row_losses(frame["thing_id"], frame["kind"], floats(frame["weight"]), foretold, floats(frame["naive"]))
'''

# 25 things on 41 days; each weighs twice its size, and the naive forecast says its size.
SQL = """
with

origins as (
    select
        {{ add_days(as_of(), "-n") }} as origin_date,
        case when n = 0 then 'predict' when n <= 10 then 'backtest' else 'train' end as purpose
    from {{ numbers(0, 40) }}
),

things as (select n as size from {{ numbers(1, 25) }})

select
    origins.origin_date,
    {{ add_days("origins.origin_date", 1) }} as target_date,
    concat('T', cast(things.size as {{ dbt.type_string() }})) as thing_id,
    'thing' as kind,
    origins.purpose,
    cast(things.size as {{ dbt.type_float() }}) as size,
    cast(things.size as {{ dbt.type_float() }}) as naive,
    case when origins.purpose != 'predict' then cast(2 * things.size as {{ dbt.type_float() }}) end as weight
from origins
cross join things
"""

YAML = """
models:
  - name: weights_features
    description: What the model weights learns from and predicts on.
    data_tests:
      - is_key: {arguments: {columns: [origin_date, thing_id]}}

sources:
  - name: predictions
    description: What the models predict.
    tables:
      - name: weights
        description: What each thing weighs tomorrow.
        columns:
          - {name: as_of_date, data_type: date}
          - &target_date {name: target_date, data_type: date}
          - &thing_id {name: thing_id, data_type: varchar}
          - &mean_weight {name: mean_weight, data_type: double}
          - &model_name {name: model_name, data_type: varchar}
          - &model_version {name: model_version, data_type: varchar}
          - &run_id {name: run_id, data_type: varchar}
          - &predicted_at {name: predicted_at, data_type: timestamp}
      - name: weights_backtest
        description: The same for days in the past.
        columns:
          - {name: as_of_date, data_type: date}
          - {name: origin_date, data_type: date}
          - *target_date
          - *thing_id
          - {name: weight, data_type: double}
          - *mean_weight
          - {name: naive, data_type: double}
          - *model_name
          - *model_version
          - *run_id
          - *predicted_at
"""

RUN = """
import json
import dagster as dg
from orchestration import settings, transform
from orchestration.defs import predictions
from orchestration.defs.run import Run

run = Run(as_of="2026-06-30")
run.warehouse.prepare([])
chosen = ["--select", "weights_features", "--vars", json.dumps({"as_of": "2026-06-30"})]
transform.build(settings.load(), chosen, lambda result: None)
assets = [one for one in predictions.assets if "weights" in one.key.path[-1]]
done = dg.materialize(assets, resources={"run": run})
assert done.success and len(assets) == 3
tables = ("predictions.weights", "predictions.weights_backtest")
found = {table: run.warehouse.query(f"select * from {table}").num_rows for table in tables}
wrong = run.warehouse.query("select * from predictions.weights_backtest where mean_weight != weight").num_rows
card = done.asset_materializations_for_node("models__weights")[0].metadata
print(json.dumps({**found, "wrong": wrong, "decided": card["decided"].value}))
"""


def test_a_model_is_three_files_and_nothing_else_is_edited(tmp_path: Path) -> None:
    copy = tmp_path / "catalyst"
    unwanted = shutil.ignore_patterns("__pycache__", "target", "logs")
    for folder in ("ml", "orchestration", "dbt_project/macros", "dbt_project/tests/generic"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=unwanted)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(REPOSITORY / "dbt_project" / file, copy / "dbt_project")
    # Without the other models, which dbt would take half a minute to read.
    features = copy / "dbt_project" / "models" / "feature_store"
    features.mkdir(parents=True)
    (copy / "ml" / "models" / "weights.py").write_text(MODULE)
    (features / "weights_features.sql").write_text(SQL)
    (features / "weights_features.yml").write_text(YAML)
    environment = {
        **os.environ,
        "CATALYST_HOME": str(tmp_path / "home"),
        "CATALYST_PROJECT": str(copy / "dbt_project"),
        "PYTHONPATH": str(copy),
        "DAGSTER_HOME": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "predictions.weights": 25,
        "predictions.weights_backtest": 250,
        "wrong": 0,
        "decided": "promoted: the first version: its error is 0.000 of the naive baseline's",
    }
