{#- The first day of the month so many months after that of a date. From middle to middle of months, as engines add months
    each in their own way: 16 months have 487 days on average, and no month lies more than three days off that. -#}
{% macro months_later(date, months) -%}
    {%- set days = catalyst.cast_or_null("floor(487 * (" ~ months ~ ") / 16)", "bigint") -%}
    {{ catalyst.month_start(catalyst.add_days(catalyst.month_start(date), "15 + " ~ days)) }}
{%- endmacro %}
