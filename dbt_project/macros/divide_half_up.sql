{#- A quotient of whole numbers, rounded half up; exact where the numerator stays below 4.5e15. The product of decimals would
    be rounded on its way, and half a cent would no longer be half a cent. -#}
{% macro divide_half_up(numerator, denominator) -%}
    {%- set quotient = catalyst.safe_divide("2 * (" ~ numerator ~ ") + " ~ denominator, "2 * (" ~ denominator ~ ")") -%}
    {{ catalyst.cast_or_null("floor(" ~ quotient ~ ")", "bigint") }}
{%- endmacro %}
