{#- Null where the denominator is 0: dividing by 0 gives infinity on one engine and an error on the other. -#}
{% macro safe_divide(numerator, denominator) -%}
    ({{ numerator }}) / nullif({{ denominator }}, 0)
{%- endmacro %}
