{#- An incremental model is made of periods (the days or months of one of its columns, which `meta: {period: ...}` names)
    and keeps in a ledger, `intermediate.built_periods`, the checksum of what each was last built from. Those whose checksum
    is another today (late, corrected or restated rows, another as-of date, an edited model) are built anew and the others
    stay, so that it always ends with the rows of a full rebuild. They stand in the SQL as dates, as BigQuery leaves out
    partitions for a literal and for nothing else. CONTRIBUTING.md shows such a model.

    The ledger is written in an order that survives an end at any moment: forget the periods, delete their rows, insert them,
    remember. Rows are added to it and never changed, as statements that change one table at once fail on BigQuery. -#}

{#- The periods to build, from a query of today's: `period`, `checksum` (text), and `source_rows`, how many rows a period is
    made of where the source forgets them, else null. Without such a query all is built. What `is_lasting` holds rows that
    its source may have forgotten, and is never emptied. -#}
{% macro changed_periods(present=none, is_lasting=false) -%}
    {%- set changed = {"is_whole": true, "is_edited": false, "built": [], "kept": [], "number": 0} -%}
    {%- if execute and model.resource_type == "model" and model.config.materialized == "incremental" -%}
        {%- set ledger = load_relation(catalyst.built_periods()) -%}
        {%- set is_whole = not is_incremental() or present is none -%}
        {%- do changed.update(is_whole=is_whole, is_unnoted=true) -%}
        {%- if ledger is not none and (not is_whole or flags.WHICH in ("build", "run", "retry")) -%}
            {%- set code = local_md5(catalyst.code_of_model())[:8] -%}
            {%- for period, checksum, rows, was, had_rows, number in run_query(
                catalyst.compared_periods(ledger, present, code, is_whole or flags.FULL_REFRESH)
            ).rows -%}
                {%- do changed.update(number=number | int) -%}
                {#- A table that the ledger knows nothing of is of an earlier version. -#}
                {%- if number == 0 -%}
                    {%- do changed.update(is_edited=true, is_whole=changed.is_whole or not is_lasting) -%}
                {%- endif -%}
                {%- if was and was.split(" ")[-1] != code -%}
                    {%- do changed.update(is_edited=true) -%}
                {%- endif -%}
                {%- do changed.built.append({
                    "period": period | string,
                    "checksum": checksum or "",
                    "rows": rows | int if rows is not none else none,
                    "had_rows": had_rows | int if had_rows is not none else none,
                }) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(changed) }}
{%- endmacro %}

{#- A model's own code and that of those that it reads, so that an edit of one builds all its periods anew. What dbt does not
    tell is that of macros: after an edit of one, `--full-refresh`. -#}
{% macro code_of_model() -%}
    {%- set codes = [model.raw_code] -%}
    {%- for id in model.depends_on.nodes | sort if id in graph.nodes -%}
        {%- do codes.append(graph.nodes[id].raw_code) -%}
    {%- endfor -%}
    {{ return(codes | join("")) }}
{%- endmacro %}

{#- The condition that a row is of one of the periods to build. The first in a model also notes them for the hooks, which run
    when the model is compiled and cannot ask again, as the tables have changed by then. -#}
{% macro in_periods(column, changed) -%}
    {%- if changed.is_whole -%}
        true
    {%- elif not changed.built -%}
        false
    {%- else -%}
        {{ column }} in ({{ catalyst.period_literals(changed) }})
    {%- endif -%}
    {%- if changed.is_unnoted -%}
        {%- do changed.update(is_unnoted=false) %} /* periods: {{ tojson(changed) }} */
    {%- endif -%}
{%- endmacro %}

{#- The periods to build and those so many months or days before each, for what a model reads of them. -#}
{% macro with_earlier(changed, months=0, days=0) -%}
    {%- set found = {} -%}
    {%- for one in changed.built -%}
        {%- set period = modules.datetime.date.fromisoformat(one.period) -%}
        {%- set month = 12 * period.year + period.month - 1 - months -%}
        {#- By a text of that length: the check of engines takes a range for SQL's. -#}
        {%- for day in "d" * (days + 1) -%}
            {%- do found.update({(period - modules.datetime.timedelta(days=loop.index0)) | string: true}) -%}
        {%- endfor -%}
        {%- if months -%}
            {%- do found.update({period.replace(year=month // 12, month=month % 12 + 1) | string: true}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set periods = [] -%}
    {%- for period in found | sort -%}
        {%- do periods.append({"period": period}) -%}
    {%- endfor -%}
    {{ return(dict(changed, built=periods, is_unnoted=false)) }}
{%- endmacro %}

{% macro period_literals(changed) -%}
    {%- for one in changed.built -%}
        date '{{ one.period }}'{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The latest that the ledger knows of each period of some models. -#}
{% macro latest_periods(ledger, models) -%}
    select
        model_name,
        period,
        checksum,
        source_rows
    from (
        select
            ledger.*,
            row_number() over (partition by model_name, period order by number desc nulls last) as recency
        from {{ ledger }} as ledger
        where model_name in ('{{ models | join("', '") }}')
    ) as numbered
    where recency = 1
{%- endmacro %}

{#- A period that is no more has the checksum '', one that was forgotten or never built none; so one that was built, is no more
    and was deleted is not deleted again. Without a query of today's all that was built is forgotten. -#}
{% macro compared_periods(ledger, present, code, is_whole) -%}
    with

    present as (
        {%- if present is none %}
        select
            cast(null as date) as period,
            {{ catalyst.cast_or_null("null", "text") }} as checksum,
            {{ catalyst.cast_or_null("null", "bigint") }} as source_rows
        from {{ ledger }}
        where false
        {%- else %}
        {{ present }}
        {%- endif %}
    ),

    built as ({{ catalyst.latest_periods(ledger, [this.identifier]) }}),

    compared as (
        select
            coalesce(present.period, built.period) as period,
            coalesce(concat(present.checksum, ' {{ code }}'), '') as checksum,
            present.source_rows,
            built.checksum as built_checksum,
            built.source_rows as built_source_rows
        from present
        full outer join built on present.period = built.period
    ),

    numbers as (
        select coalesce(max(number), 0) as number
        from {{ ledger }}
        where model_name = '{{ this.identifier }}'
    )

    select
        compared.period,
        compared.checksum,
        compared.source_rows,
        compared.built_checksum,
        compared.built_source_rows,
        numbers.number
    from compared
    cross join numbers
    {% if not is_whole -%}
    where compared.checksum != coalesce(compared.built_checksum, '-')
    {% endif -%}
    order by compared.period asc nulls last
{%- endmacro %}

{#- What is built of another incremental model, by its ledger: where it has none, being a view or a table in a project of
    one's own, nothing can be told of its periods, and all is built. -#}
{% macro periods_of(models) -%}
    {%- set ledger = load_relation(catalyst.built_periods()) if execute and model.resource_type == "model" else none -%}
    {%- set found = [] -%}
    {%- if ledger is not none -%}
        {%- for node in graph.nodes.values() | selectattr("resource_type", "equalto", "model") -%}
            {%- if node.name in models and node.config.materialized == "incremental" and node.config.meta.period -%}
                {%- do found.append(node.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if found | length < models | length -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set query -%}
        select
            period,
            concat(
                {%- for name in models %}
                coalesce(max(case when model_name = '{{ name }}' then checksum end), ''){{ "," if not loop.last }}
                {%- if not loop.last %} '+',{% endif %}
                {%- endfor %}
            ) as checksum,
            {{ catalyst.cast_or_null("null", "bigint") }} as source_rows
        from ({{ catalyst.latest_periods(ledger, models) }}) as built
        where checksum != ''
        group by period
    {%- endset -%}
    {{ return(query) }}
{%- endmacro %}

{% macro built_periods() -%}
    {%- set schema = generate_schema_name("intermediate", none) -%}
    {{ return(api.Relation.create(database=target.database, schema=schema, identifier="built_periods", type="table")) }}
{%- endmacro %}

{#- What the hooks below do, as the compiled model notes it. -#}
{% macro noted_periods() -%}
    {%- set note = (model.compiled_code or "").partition("/* periods: ")[2].partition(" */")[0] if execute else "" -%}
    {{ return(fromjson(note) if note else {}) }}
{%- endmacro %}

{#- On run start. -#}
{% macro create_built_periods() -%}
    {%- set ledger = catalyst.built_periods() -%}
    {%- if execute and load_relation(ledger) is none -%}
        {%- if not adapter.check_schema_exists(ledger.database, ledger.schema) -%}
            {%- do adapter.create_schema(ledger) -%}
        {%- endif -%}
        {%- do adapter.cache_added(ledger) -%}
        create table if not exists {{ ledger }} (
            model_name {{ dbt.type_string() }},
            period date,
            checksum {{ dbt.type_string() }},
            source_rows {{ dbt.type_bigint() }},
            number {{ dbt.type_bigint() }}
        )
    {%- endif -%}
{%- endmacro %}

{#- DuckDB gives a table no other columns in a transaction that has deleted rows, so that an edited model loses its rows before
    its transaction, in hooks with `transaction: false`, which BigQuery's adapter leaves out. -#}
{% macro forget_periods(only_edited=false) -%}
    {%- set noted = catalyst.noted_periods() -%}
    {%- if noted.built and (noted.is_edited or not only_edited) -%}
        {{ catalyst.write_periods(noted.built, noted.number + 1, is_forgotten=true) }}
    {%- endif -%}
{%- endmacro %}

{% macro delete_periods(only_edited=false) -%}
    {%- set noted = catalyst.noted_periods() -%}
    {%- if is_incremental() and (noted.is_edited or not only_edited) and (noted.built or noted.is_whole) -%}
        {#- All goes where all is built anew; a table of an earlier version may even lack the column. -#}
        delete from {{ this }}
        where {{ "true" if noted.is_whole else model.config.meta.period ~ " in (" ~ catalyst.period_literals(noted) ~ ")" }}
    {%- endif -%}
{%- endmacro %}

{% macro remember_periods() -%}
    {%- set noted = catalyst.noted_periods() -%}
    {%- if noted.built or noted.kept -%}
        {{ catalyst.write_periods(noted.built + noted.kept, noted.number + 2) }}
    {%- endif -%}
{%- endmacro %}

{% macro write_periods(periods, number, is_forgotten=false) -%}
    insert into {{ catalyst.built_periods() }} (model_name, period, checksum, source_rows, number)
    values
    {%- for one in periods %}
    (
        '{{ this.identifier }}',
        date '{{ one.period }}',
        {{ "null" if is_forgotten else "'" ~ one.checksum ~ "'" }},
        {%- set rows = one.had_rows if is_forgotten else one.rows %}
        {{ "null" if rows is none else rows }},
        {{ number }}
    ){{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
