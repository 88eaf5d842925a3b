{#- The value as another type, or null where it is not one. Types: text, bigint, double, timestamp (UTC), date, boolean,
    numeric(p,s) for exact amounts. A sum of doubles depends on the order of its rows, a sum of numerics does not. -#}
{% macro cast_or_null(expression, type) -%}
    {{ return(adapter.dispatch("cast_or_null", "catalyst")(expression, type)) }}
{%- endmacro %}

{% macro duckdb__cast_or_null(expression, type) -%}
    try_cast({{ expression }} as {{ "varchar" if type == "text" else type }})
{%- endmacro %}

{% macro bigquery__cast_or_null(expression, type) -%}
    {%- set names = {"text": "string", "bigint": "int64", "double": "float64", "boolean": "bool"} -%}
    {%- if type.startswith("numeric(") -%}
        {%- set scale = type.split(",")[1].rstrip(")") | trim -%}
        round(safe_cast({{ expression }} as numeric), {{ scale }})
    {%- else -%}
        safe_cast({{ expression }} as {{ names.get(type, type) }})
    {%- endif -%}
{%- endmacro %}
