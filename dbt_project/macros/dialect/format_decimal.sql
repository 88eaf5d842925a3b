{#- A number as text with a fixed count of decimals: a plain cast gives '12.0' on one engine and '12' on the other. -#}
{% macro format_decimal(number, decimals) -%}
    {{ return(adapter.dispatch("format_decimal", "catalyst")(number, decimals)) }}
{%- endmacro %}

{% macro duckdb__format_decimal(number, decimals) -%}
    printf('%.{{ decimals }}f', cast({{ number }} as double))
{%- endmacro %}

{% macro bigquery__format_decimal(number, decimals) -%}
    format('%.{{ decimals }}f', cast({{ number }} as float64))
{%- endmacro %}
