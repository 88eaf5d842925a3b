{#- The rows of a raw table that have passed the gate: their load is gated and they carry no mark. -#}
{% macro accepted_rows(source_name, table_name) -%}
    {%- set feed = source_name ~ "." ~ table_name -%}
    select raw_rows.*
    from {{ source(source_name, table_name) }} as raw_rows
    inner join (
        select distinct load_id
        from {{ source("quality", "loads") }}
        where feed = '{{ feed }}'
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
