"""The assets of a model that has nothing to learn from, which is no fault of the run."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs import predictions
from orchestration.defs.run import Run
from orchestration.progress import console
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

# What MLflow's own tables bring on with SQLAlchemy 2.1; see Registry.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def test_a_model_of_nobody_is_skipped_with_a_sentence(tmp_path: Path) -> None:
    # A company without subscribers: its feature table is there, and empty.
    warehouse = Warehouse(Settings(home=tmp_path).warehouse)
    with warehouse.transaction() as connection:
        connection.execute("create schema feature_store")
        connection.execute(
            "create table feature_store.churn_features (origin_date date, target_date date, customer_id varchar, "
            "purpose varchar, has_churned_30d_ahead boolean)"
        )
    with pytest.MonkeyPatch.context() as patch, console.capture() as captured:
        patch.setenv("CATALYST_HOME", str(tmp_path))
        assets = [one for one in predictions.assets if "churn" in one.key.path[-1]]
        assert dg.materialize(assets, resources={"run": Run(as_of="2026-06-30")}).success
    told = captured.get()
    assert "! churn is skipped: There is too little history before 2026-06-30" in told
    assert told.count("skipped, there is no version or no row") == 2
