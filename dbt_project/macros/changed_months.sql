{#- The months whose figures are built from something else today than when they were: `months` names a model with the columns
    `month` and `month_checksum`. -#}
{% macro changed_months(months) -%}
    {%- set present -%}
        select
            month as period,
            {{ catalyst.cast_or_null("month_checksum", "text") }} as checksum,
            {{ catalyst.cast_or_null("null", "bigint") }} as source_rows
        from {{ ref(months) }}
    {%- endset -%}
    {{ return(catalyst.changed_periods(present)) }}
{%- endmacro %}
