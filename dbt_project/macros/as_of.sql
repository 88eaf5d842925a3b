{#- The last complete day that this build knows, as a date: the var `as_of`, else the day of the latest run that has not
    failed. Models use this and never a clock, so a build for a past day gives what that day would have given. -#}
{% macro as_of() -%}
    cast('{{ catalyst.as_of_date() }}' as date)
{%- endmacro %}

{% macro as_of_date() -%}
    {%- if var("as_of", none) is not none -%}
        {{ return(var("as_of") | string) }}
    {%- elif not execute -%}
        {{ return("1970-01-01") }}
    {%- endif -%}
    {%- set query -%}
        select cast(as_of_date as date) as as_of_date
        from {{ source("quality", "runs") }}
        where status in ('running', 'succeeded')
        order by started_at desc nulls last, run_id desc nulls last
        limit 1
    {%- endset -%}
    {%- set rows = run_query(query).rows -%}
    {%- if rows | length == 0 -%}
        {{ exceptions.raise_compiler_error(
            "The as-of date is unknown: quality.runs holds no running or succeeded run; "
            ~ "run `catalyst run` first or pass --vars 'as_of: YYYY-MM-DD'."
        ) }}
    {%- endif -%}
    {{ return(rows[0][0] | string) }}
{%- endmacro %}

{#- True where the column's day is not after the as-of date, or where the day is not that the row landed on: what has landed
    is known, so that a day of landing up to the as-of date is staged once for good. -#}
{% macro known_by_as_of(column, landed_on=none) -%}
    {%- if landed_on is none -%}
        cast({{ column }} as date) <= {{ catalyst.as_of() }}
    {%- else -%}
        ({{ landed_on }} <= {{ catalyst.as_of() }} or cast({{ column }} as date) <= {{ catalyst.as_of() }})
    {%- endif -%}
{%- endmacro %}
