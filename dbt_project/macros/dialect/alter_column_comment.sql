{#- Takes the place of the adapter's own macro, which sets the descriptions of columns: those whose meta says
    `classification: pii` also get the policy tag that CATALYST_PII_POLICY_TAG names, so that only who may read what is tagged
    can read them. dbt calls it wherever descriptions are persisted, which is in every dataset that people read. -#}
{% macro bigquery__alter_column_comment(relation, column_dict) -%}
    {%- set tag = env_var("CATALYST_PII_POLICY_TAG", "") -%}
    {%- set columns = {} -%}
    {%- for name, column in column_dict.items() -%}
        {%- set is_personal = column.config.meta.get("classification") == "pii" -%}
        {%- do columns.update({name: dict(column, policy_tags=[tag]) if tag and is_personal else column}) -%}
    {%- endfor -%}
    {%- do adapter.update_columns(relation, columns) -%}
{%- endmacro %}
