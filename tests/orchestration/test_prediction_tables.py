"""The tables of predictions are those of the YAML, and gain what it gains."""

from ml import catalogue
from orchestration.prediction_tables import prediction_columns, prediction_tables
from orchestration.warehouse import Warehouse


def test_every_model_writes_two_tables_whose_rows_are_whole() -> None:
    found = prediction_columns()
    assert set(found) == {f"predictions.{name}{kind}" for name in catalogue.names() for kind in ("", "_backtest")}
    for name, kinds in found.items():
        model = catalogue.model(name.removeprefix("predictions.").removesuffix("_backtest"))
        assert next(iter(kinds)) == "as_of_date"
        assert list(kinds)[-4:] == ["model_name", "model_version", "run_id", "predicted_at"]
        assert {"target_date", *model.ENTITY, model.PREDICTED, *(model.INTERVAL or ())} <= set(kinds)
        if name.endswith("_backtest"):
            assert {"origin_date", model.TARGET, model.BASELINE} <= set(kinds)
    assert "probability double not null" in prediction_tables()["predictions.churn"]


def test_a_column_that_the_yaml_gains_is_added_to_the_table(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("create schema predictions")
        connection.execute("create table predictions.churn (as_of_date date not null, customer_id varchar not null)")
        connection.execute("insert into predictions.churn values ('2026-06-30', 'C1')")
    warehouse.prepare([])
    assert warehouse.query("select customer_id, probability from predictions.churn").to_pylist() == [
        {"customer_id": "C1", "probability": None}
    ]
