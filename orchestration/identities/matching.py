"""Which pairs of customer records are of one person, by a Fellegi-Sunter model that the records themselves train.

The only module that imports Splink, and only when there is something to compare: the import takes half a second.
Splink works on a DuckDB of its own, in memory, so the warehouse stays free for others.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.identities.comparing import (
    BLOCKS,
    CERTAIN,
    COLUMNS,
    COMPARISONS,
    DERIVED,
    DIFFERS,
    IDENTIFIERS,
    SHARED_BY_AT_MOST,
    TRAINING_BLOCKS,
    Comparison,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from splink import Linker
    from splink.internals.blocking_rule_creator import BlockingRuleCreator
    from splink.internals.splink_dataframe import SplinkDataFrame

RULES = hashlib.sha256(repr((COLUMNS, DERIVED, BLOCKS, TRAINING_BLOCKS, COMPARISONS)).encode()).hexdigest()[:12]
# From this match probability on, two records are taken for one person.
THRESHOLD = 0.95
# What is written down for the audit, though not all of it is linked.
NOTEWORTHY = 0.5
# With fewer records, or fewer pairs in a training block, chance would speak louder than the data.
TRAINS_FROM_RECORDS = 1_000
TRAINS_FROM_PAIRS = 200
# Random pairs for estimating how often strangers agree: twice as many take a second longer and change no link.
RANDOM_PAIRS = 200_000
# More pairs of a block than this add time and no knowledge.
TRAINING_PAIRS = 500_000
# Among pairs that the certain rules do not see; Splink wants a guess, and its results hardly depend on it.
CERTAIN_RECALL = 0.7
SEED = 1
# Training ends when no share changes by more. A tenth of it changes no link, and brings clean data down to shares of 0.
CONVERGED = 1e-3
# What training has seen next to never may happen all the same: a share is no less than this.
LEAST_SHARE = 1e-6
NO_PAIRS = """
    select '' as record_id_left, '' as record_id_right, 0.0::double as match_probability, 0.0::double as match_weight,
        '' as evidence, false as is_contradicted
    where false
"""


@dataclass(frozen=True)
class Model:
    """Splink's settings, and what they were learnt from.

    Attributes:
        records: How many records there were.
        columns: Which of their columns held anything.
        rules: Names the comparisons and blocking rules of `comparing` as they were then.
    """

    records: int
    columns: tuple[str, ...]
    settings: dict[str, Any]
    rules: str = RULES

    @property
    def version(self) -> str:
        """Names the model by its content."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:12]

    def fits(self, records: int, columns: tuple[str, ...]) -> bool:
        """Whether it goes on being used: the same columns are filled, for less than twice the records."""
        is_outgrown = records >= 2 * self.records or self.records < TRAINS_FROM_RECORDS <= records
        return self.rules == RULES and self.columns == columns and not is_outgrown

    @property
    def comparisons(self) -> list[Comparison]:
        """The comparisons that it makes."""
        return [comparison for comparison in COMPARISONS if set(comparison.columns) & set(self.columns)]


def match(records: pa.Table, model: Model | None = None) -> tuple[pa.Table, Model]:
    """Scores the pairs of records that may be of one person.

    Args:
        records: One row per record with `record_id` and any of the columns in `comparing.COLUMNS`.
        model: The model of the run before; without one that fits the records, a new one is trained.

    Returns:
        The pairs from a match probability of 0.5 on, each with its evidence, the strongest first; and the model.
    """
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.register("given", records)
        filled = _make_comparable(connection, set(records.column_names))
        is_new = model is None or not model.fits(records.num_rows, filled)
        used = _untrained(records.num_rows, filled) if model is None or is_new else model
        if not used.settings["blocking_rules_to_generate_predictions"]:
            return connection.execute(NO_PAIRS).to_arrow_table(), used
        from splink import DuckDBAPI

        # It warns of every outcome that a training block happens to lack; those keep the values of `comparing`.
        logging.getLogger("splink").setLevel(logging.ERROR)
        comparable = DuckDBAPI(connection).register("comparable_records")
        if is_new and records.num_rows >= TRAINS_FROM_RECORDS:
            used = _train(connection, comparable, used)
        return _score(connection, comparable, used), used


def _make_comparable(connection: duckdb.DuckDBPyConnection, given: set[str]) -> tuple[str, ...]:
    """Creates `comparable_records`, with all columns, and returns those that hold anything."""
    plain = {
        column: sql.format(f"cast({column} as varchar)") if column in given else "cast(null as varchar)"
        for column, sql in COLUMNS.items()
    }
    identifying = {
        column: f"case when count(*) over (partition by {column}) <= {SHARED_BY_AT_MOST} then {column} end"
        for column in IDENTIFIERS
    }
    connection.execute(
        f"""
        create table comparable_records as
        with plain as (select record_id, {_columns(plain)} from given),
        identifying as (select * replace ({_columns(identifying)}) from plain)
        select *, {_columns(DERIVED)} from identifying order by record_id
        """
    )
    columns = [*COLUMNS, *DERIVED]
    counted = ", ".join(f"count({column})" for column in columns)
    counts = connection.execute(f"select {counted} from comparable_records").fetchone()
    # With one value among all records, there is nothing to compare.
    return tuple(column for column, count in zip(columns, counts or (), strict=True) if count > 1)


def _columns(expressions: dict[str, str]) -> str:
    return ", ".join(f"{sql} as {name}" for name, sql in expressions.items())


def _untrained(records: int, filled: tuple[str, ...]) -> Model:
    model = Model(records, filled, {})
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "linker_uid": "identities",
        "comparisons": [_comparison(comparison, filled) for comparison in model.comparisons],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": _equal(columns)} for columns in BLOCKS if set(columns) <= set(filled)
        ],
        # Every second record has another of the same person, until the records say better.
        "probability_two_random_records_match": 1 / max(records, 2),
        "em_convergence": CONVERGED,
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
    }
    return replace(model, settings=settings)


def _comparison(comparison: Comparison, filled: tuple[str, ...]) -> dict[str, Any]:
    known = [
        {
            "sql_condition": level.condition,
            "label_for_charts": level.meaning,
            "m_probability": level.m,
            "u_probability": level.u,
            **({"tf_adjustment_column": level.rare} if level.rare in filled else {}),
        }
        for level in comparison.levels
    ]
    differs = {
        "sql_condition": "ELSE",
        "label_for_charts": DIFFERS,
        "m_probability": 1 - sum(level.m for level in comparison.levels),
        "u_probability": 1 - sum(level.u for level in comparison.levels),
    }
    unknown = {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    return {"output_column_name": comparison.key, "comparison_levels": [unknown, *known, differs]}


def _equal(columns: tuple[str, ...]) -> str:
    return " and ".join(f"l.{column} = r.{column}" for column in columns)


def _linker(comparable: SplinkDataFrame, model: Model) -> Linker:
    from splink import Linker, SettingsCreator

    return Linker(comparable, SettingsCreator.from_path_or_dict(model.settings), log_level=None)


def _train(connection: duckdb.DuckDBPyConnection, comparable: SplinkDataFrame, model: Model) -> Model:
    linker = _linker(comparable, model)
    certain = [columns for columns in CERTAIN if set(columns) <= set(model.columns)]
    if any(_pairs(connection, columns) for columns in certain):
        rules: list[str | BlockingRuleCreator] = [_equal(columns) for columns in certain]
        linker.training.estimate_probability_two_random_records_match(rules, recall=CERTAIN_RECALL)
    linker.training.estimate_u_using_random_sampling(RANDOM_PAIRS, SEED, min_count_per_level=None, num_chunks=1)
    for columns in TRAINING_BLOCKS:
        if set(columns) <= set(model.columns) and _pairs(connection, columns) >= TRAINS_FROM_PAIRS:
            linker = _maximise_expectation(linker, columns)
    return replace(model, settings=_learnt(model.settings, linker.misc.save_model_to_json()))


def _maximise_expectation(linker: Linker, columns: tuple[str, ...]) -> Linker:
    # A training that fails leaves its linker unusable.
    trained = copy.deepcopy(linker)
    try:
        trained.training.estimate_parameters_using_expectation_maximisation(
            _equal(columns), estimate_without_term_frequencies=True, max_pairs=TRAINING_PAIRS
        )
    except ValueError as error:
        # Where true pairs agree without exception, a share comes down to exactly 0, which Splink refuses. The values
        # of `comparing`, or those of another block, are then as good as it gets.
        if "below the minimum" not in str(error):
            raise
        return linker
    return trained


def _learnt(before: dict[str, Any], trained: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings with what training has found; outcomes that it has not met keep their shares."""
    settings = copy.deepcopy(before)
    settings["probability_two_random_records_match"] = trained["probability_two_random_records_match"]
    for ours, theirs in zip(settings["comparisons"], trained["comparisons"], strict=True):
        for level, found in zip(ours["comparison_levels"], theirs["comparison_levels"], strict=True):
            for share in ("m_probability", "u_probability"):
                if share in level and share in found:
                    # Parallel sums differ in their last bits from run to run; a model must not.
                    level[share] = max(float(f"{found[share]:.6g}"), LEAST_SHARE)
    return settings


def _pairs(connection: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> int:
    names = ", ".join(columns)
    known = " and ".join(f"{column} is not null" for column in columns)
    found = connection.execute(
        "select coalesce(sum(n * (n - 1) // 2), 0) from "
        f"(select count(*) as n from comparable_records where {known} group by {names})"
    ).fetchone()
    return int(found[0]) if found else 0


def _score(connection: duckdb.DuckDBPyConnection, comparable: SplinkDataFrame, model: Model) -> pa.Table:
    scored = _linker(comparable, model).inference.predict(threshold_match_probability=NOTEWORTHY).physical_name
    have = {row[0] for row in connection.execute(f"describe {scored}").fetchall()}
    evidence = ", ".join(_evidence(comparison, have) for comparison in model.comparisons)
    telling = [f"gamma_{comparison.key}" for comparison in model.comparisons if comparison.tells_people_apart]
    differing = " + ".join(["0", *(f"cast({gamma} = 0 as integer)" for gamma in telling)])
    return connection.execute(
        f"""
        select least(record_id_l, record_id_r) as record_id_left, greatest(record_id_l, record_id_r) as record_id_right,
            -- Parallel sums differ in their last bits from run to run.
            round(match_probability, 6) as match_probability, round(match_weight, 3) as match_weight,
            concat_ws(', ', {evidence}) as evidence,
            {differing} > 1 and greatest({", ".join(["-1", *telling])}) < 1 as is_contradicted
        from {scored}
        order by match_weight desc, record_id_left, record_id_right
        """
    ).to_arrow_table()


def _evidence(comparison: Comparison, have: set[str]) -> str:
    outcomes = [*(level.meaning for level in comparison.levels), DIFFERS]
    names = " ".join(f"when {len(outcomes) - 1 - place} then '{name}'" for place, name in enumerate(outcomes))
    weight = " + ".join(column for column in (f"mw_{comparison.key}", f"mw_tf_adj_{comparison.key}") if column in have)
    return (
        f"case when gamma_{comparison.key} >= 0 then '{comparison.name} ' || case gamma_{comparison.key} {names} end "
        f"|| format(' ({{:+.1f}})', {weight}) end"
    )
