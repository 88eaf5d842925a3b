{#- The date so many days later; a negative number goes back. -#}
{% macro add_days(date, days) -%}
    {{ return(adapter.dispatch("add_days", "catalyst")(date, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(date, days) -%}
    ({{ date }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro bigquery__add_days(date, days) -%}
    date_add({{ date }}, interval ({{ days }}) day)
{%- endmacro %}
