{#- `weekday` (Monday 1 .. Sunday 7) or `week` (1 .. 53) of a date by ISO 8601; each engine's own default differs. -#}
{% macro iso_date_part(part, date) -%}
    {{ return(adapter.dispatch("iso_date_part", "catalyst")(part, date)) }}
{%- endmacro %}

{% macro duckdb__iso_date_part(part, date) -%}
    extract({{ {"weekday": "isodow", "week": "week"}[part] }} from {{ date }})
{%- endmacro %}

{% macro bigquery__iso_date_part(part, date) -%}
    {%- if part == "weekday" -%}
        (mod(extract(dayofweek from {{ date }}) + 5, 7) + 1)
    {%- else -%}
        extract({{ {"week": "isoweek"}[part] }} from {{ date }})
    {%- endif -%}
{%- endmacro %}
