{#- The date that a timestamp falls on where the company reports, see the var. -#}
{% macro reporting_date(timestamp) -%}
    {{ catalyst.local_date(timestamp, var("reporting_time_zone")) }}
{%- endmacro %}
