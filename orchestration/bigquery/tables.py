"""The tables that a run writes, as BigQuery stores them: partitions, clusters, expiry, and tags of personal data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery.table import TableListItem

from orchestration import bigquery_sql
from orchestration.bigquery.session import ensure_dataset
from orchestration.contracts import Feed
from orchestration.warehouse import declared_columns, definitions, written_tables

# Raw rows are read by the gate and by staging, which keeps what was accepted; months later nobody asks for them.
RAW_KEPT_DAYS = 90
LABELS = {"managed_by": "catalyst"}

# Datasets that dbt fills; readers ask for the tables of each.
_BUILT = ("staging", "intermediate", "core_analytics", "feature_store", "decisions", "monitoring", "seeds")
_PARTITIONED_BY = ("as_of_date", "scored_on")
_CLUSTERED_BY = ("feed", "load_id", "store_id", "product_id", "record_id")
# Questions are asked so many at a time: each takes a tenth of a second, and there are some fifty.
_AT_ONCE = 8


def ensure(client: bigquery.Client, feeds: Sequence[Feed], pii_policy_tag: str) -> None:
    """Makes what is missing of datasets and tables, and adds the columns that contracts have gained since.

    By Google's API and not by statements, of which each is a job and takes a second.
    """
    wanted = [*_written(client.project), *(_raw(client.project, feed, pii_policy_tag) for feed in feeds)]
    datasets = sorted({*_BUILT, *(table.dataset_id for table in wanted)})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: ensure_dataset(client, _dataset(client.project, name)), datasets))
        list(pool.map(lambda table: _ensure_table(client, table), wanted))


def counts(client: bigquery.Client) -> Iterator[tuple[tuple[str, str], int]]:
    """Yields the rows of every table of Catalyst's datasets but raw, by schema and table; views have none."""
    datasets = {*_BUILT, *(name.split(".")[0] for name in written_tables())}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [table for tables in pool.map(lambda name: _tables(client, name), sorted(datasets)) for table in tables]
        for table in pool.map(client.get_table, [item.reference for item in found if item.table_type == "TABLE"]):
            yield (table.dataset_id, table.table_id), int(table.num_rows or 0)


def _tables(client: bigquery.Client, dataset: str) -> list[TableListItem]:
    try:
        return list(client.list_tables(dataset))
    except NotFound:
        return []


def _dataset(project: str, name: str) -> bigquery.Dataset:
    dataset = bigquery.Dataset(f"{project}.{name}")
    dataset.labels = LABELS
    return dataset


def _written(project: str) -> Iterator[bigquery.Table]:
    for name, text in written_tables().items():
        fields = _fields(text)
        table = bigquery.Table(f"{project}.{name}", fields)
        table.labels = LABELS
        names = [column.name for column in fields]
        # quality.runs has such a date too, and a row a run.
        if names[0] in _PARTITIONED_BY:
            table.time_partitioning = bigquery.TimePartitioning(field=names[0])
        table.clustering_fields = [name for name in _CLUSTERED_BY if name in names] or None
        yield table


def _raw(project: str, feed: Feed, pii_policy_tag: str) -> bigquery.Table:
    personal = {column.name for column in feed.columns if column.is_personal}
    tag = bigquery.PolicyTagList([pii_policy_tag]) if pii_policy_tag else None
    fields = [
        bigquery.SchemaField(
            column.name, column.field_type, mode="NULLABLE", policy_tags=tag if column.name in personal else None
        )
        for column in _fields(definitions(declared_columns(feed)))
    ]
    table = bigquery.Table(f"{project}.{feed.id}", fields)
    table.labels = LABELS
    table.time_partitioning = bigquery.TimePartitioning(
        expiration_ms=timedelta(days=RAW_KEPT_DAYS) // timedelta(milliseconds=1)
    )
    table.clustering_fields = ["_dlt_load_id"]
    return table


def _fields(text: str) -> list[bigquery.SchemaField]:
    return [
        bigquery.SchemaField(name, kind, mode="REQUIRED" if is_required else "NULLABLE")
        for name, kind, is_required in bigquery_sql.columns(text)
    ]


def _ensure_table(client: bigquery.Client, wanted: bigquery.Table) -> None:
    try:
        have = client.get_table(wanted.reference)
    except NotFound:
        client.create_table(wanted, exists_ok=True)
        return
    names = {column.name for column in have.schema}
    gained = [column for column in wanted.schema if column.name not in names]
    if gained:
        # What a table gains is null in the rows that it has.
        have.schema = [
            *have.schema,
            *(bigquery.SchemaField(c.name, c.field_type, policy_tags=c.policy_tags) for c in gained),
        ]
        client.update_table(have, ["schema"])
