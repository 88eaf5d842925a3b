{#- A relation for `from` or `cross join` whose one column `n` counts from first to last; last may be a column of a
    relation that stands before it. -#}
{% macro numbers(first, last) -%}
    {{ return(adapter.dispatch("numbers", "catalyst")(first, last)) }}
{%- endmacro %}

{% macro duckdb__numbers(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }})) as numbers (n)
{%- endmacro %}

{% macro bigquery__numbers(first, last) -%}
    unnest(generate_array({{ first }}, {{ last }})) as n
{%- endmacro %}
