{#- The datasets have Catalyst's names here too; dbt asks the root project alone how to name its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ catalyst.generate_schema_name(custom_schema_name, node) }}
{%- endmacro %}
