{#- True from the first day on and before the day on which something else holds, see `end_of_time`. -#}
{% macro is_valid_on(date, valid_from, valid_until) -%}
    {{ date }} >= {{ valid_from }} and {{ date }} < {{ valid_until }}
{%- endmacro %}
