{#- The day at whose end the month of a date is judged: its last day, or the as-of date while the month is running. -#}
{% macro month_moment(date) -%}
    least(last_day({{ date }}), {{ catalyst.as_of() }})
{%- endmacro %}
