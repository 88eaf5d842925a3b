{#- How many whole seconds the later timestamp lies after the earlier one. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch("seconds_between", "catalyst")(earlier, later)) }}
{%- endmacro %}

{#- date_diff would count the seconds that begin in between. -#}
{% macro duckdb__seconds_between(earlier, later) -%}
    date_sub('second', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro bigquery__seconds_between(earlier, later) -%}
    timestamp_diff({{ later }}, {{ earlier }}, second)
{%- endmacro %}
