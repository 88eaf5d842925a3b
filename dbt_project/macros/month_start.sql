{% macro month_start(date) -%}
    {{ catalyst.add_days(date, "1 - extract(day from " ~ date ~ ")") }}
{%- endmacro %}
