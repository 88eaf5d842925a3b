{#- The day whose exchange rate counts for something that happened on a date: that date, as far as rates are known. A till
    whose clock runs ahead sells after the as-of date. -#}
{% macro rate_day(date) -%}
    least({{ date }}, {{ catalyst.as_of() }})
{%- endmacro %}
