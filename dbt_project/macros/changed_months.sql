{#- Incremental models of recurring revenue keep the checksum of what each of their months was made of. Before one is built,
    its months whose checksum is no longer today's are deleted (late or corrected records, merged customers, other rates,
    another policy), and so are months after the as-of date; then it builds the months that it lacks. So it always ends with
    the rows of a full rebuild. On DuckDB both are one transaction. -#}

{#- The pre_hook of such a model. `months` has the columns `month` and `month_checksum` of today. -#}
{% macro delete_changed_months(months) -%}
    {%- if is_incremental() -%}
        {%- if "month_checksum" in adapter.get_columns_in_relation(this) | map(attribute="name") -%}
            delete from {{ this }} as built
            where not exists (
                select 1
                from {{ months }} as months
                where months.month = built.month and months.month_checksum = built.month_checksum
            )
        {%- else -%}
            {#- A table of an earlier version. Emptied by deleting, it could not get its new columns in the same transaction. -#}
            create or replace table {{ this }} as select * from {{ this }} where false
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- True for a month that the model has no rows of. -#}
{% macro is_month_missing(month) -%}
    {%- if is_incremental() -%}
        {{ month }} not in (select distinct built.month from {{ this }} as built)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
