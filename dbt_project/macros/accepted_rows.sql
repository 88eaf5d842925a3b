{#- The rows of a raw table that have passed the gate: their load is gated and they carry no mark. In an incremental model
    only those of the days of landing that changed, by `landed_on`. -#}
{% macro accepted_rows(source_name, table_name) -%}
    {%- set feed = source_name ~ "." ~ table_name -%}
    {%- set days = catalyst.changed_landings(source_name, table_name) -%}
    select
        raw_rows.*,
        gated_loads.landed_on
    from {{ source(source_name, table_name) }} as raw_rows
    inner join (
        select
            load_id,
            max(cast(landed_at as date)) as landed_on
        from {{ source("quality", "loads") }}
        where
            feed = '{{ feed }}'
            and {{ catalyst.in_periods("cast(landed_at as date)", days) }}
        group by load_id
    ) as gated_loads
        on raw_rows._dlt_load_id = gated_loads.load_id
    left join (
        select distinct
            load_id,
            row_number
        from {{ source("quality", "quarantine") }}
        where feed = '{{ feed }}'
    ) as marks
        on raw_rows._dlt_load_id = marks.load_id and raw_rows._row = marks.row_number
    where marks.load_id is null
{%- endmacro %}

{#- The days of landing whose rows are staged anew: something landed, was marked or was freed from its mark, or they landed
    after the as-of date, which decides then which of them are known. Raw rows expire and staged ones do not: a day of which
    raw holds less than was staged stays as it is. -#}
{% macro changed_landings(source_name, table_name) -%}
    {%- set feed = source_name ~ "." ~ table_name -%}
    {%- set present -%}
        select
            loads.landed_on as period,
            concat(
                {{ catalyst.cast_or_null("count(*)", "text") }}, ' loads ',
                {{ catalyst.cast_or_null("sum(loads.rows_landed)", "text") }}, ' rows gated ',
                coalesce({{ catalyst.cast_or_null("max(loads.gated_at)", "text") }}, ''), ' ',
                {{ catalyst.cast_or_null("coalesce(sum(marks.marks), 0)", "text") }}, ' marks ',
                coalesce({{ catalyst.cast_or_null("max(marks.marked_at)", "text") }}, ''), ' known ',
                {{ catalyst.cast_or_null("least(loads.landed_on, " ~ catalyst.as_of() ~ ")", "text") }}
            ) as checksum,
            sum(loads.rows_landed) as source_rows
        from (
            select
                load_id,
                cast(landed_at as date) as landed_on,
                coalesce(rows_landed, 0) as rows_landed,
                gated_at
            from {{ source("quality", "loads") }}
            where feed = '{{ feed }}'
        ) as loads
        left join (
            select
                load_id,
                count(*) as marks,
                max(quarantined_at) as marked_at
            from {{ source("quality", "quarantine") }}
            where feed = '{{ feed }}'
            group by load_id
        ) as marks on loads.load_id = marks.load_id
        group by loads.landed_on
    {%- endset -%}
    {%- set changed = catalyst.changed_periods(present, is_lasting=true) -%}
    {%- if changed.built and not changed.is_whole -%}
        {%- set query -%}
            select
                cast(loads.landed_at as date) as landed_on,
                count(*) as source_rows
            from {{ source(source_name, table_name) }} as raw_rows
            inner join {{ source("quality", "loads") }} as loads on raw_rows._dlt_load_id = loads.load_id
            where
                loads.feed = '{{ feed }}'
                and cast(loads.landed_at as date) in ({{ catalyst.period_literals(changed) }})
            group by cast(loads.landed_at as date)
        {%- endset -%}
        {%- set there = {} -%}
        {%- for landed_on, rows in run_query(query).rows -%}
            {%- do there.update({landed_on | string: rows}) -%}
        {%- endfor -%}
        {%- for one in changed.built | list -%}
            {%- set rows = one.had_rows or one.rows or 0 -%}
            {%- set is_forgotten = there.get(one.period, 0) < rows -%}
            {#- Of what the ledger does not know either, such as after its loss, nothing is deleted without a replacement. -#}
            {%- if is_forgotten or (one.had_rows is none and one.period not in there) -%}
                {%- do changed.built.remove(one) -%}
                {%- do changed.kept.append(dict(one, rows=rows)) -%}
            {%- endif -%}
            {%- if is_forgotten -%}
                {%- do exceptions.warn(
                    this.identifier ~ " keeps the rows that landed on " ~ one.period ~ " as they were staged: "
                    ~ source_name ~ "." ~ table_name ~ " holds " ~ there.get(one.period, 0) ~ " of the " ~ rows
                    ~ " that they were made of, as raw rows expire. What was corrected must be sent again."
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(changed) }}
{%- endmacro %}
