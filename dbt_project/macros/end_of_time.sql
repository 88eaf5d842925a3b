{#- What holds still, holds until then: comparing with a date joins by hashing, asking for null in the join does not. -#}
{% macro end_of_time() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
