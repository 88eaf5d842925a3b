{#- How many days the later date lies after the earlier one. -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch("days_between", "catalyst")(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro bigquery__days_between(earlier, later) -%}
    date_diff({{ later }}, {{ earlier }}, day)
{%- endmacro %}
