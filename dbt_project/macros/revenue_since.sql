{#- The revenue of each of the CTE `months` beside that of the month which `opening_month` names, to be netted: rows of the
    CTE `revenue` with `compared_month`, the month that they are looked at for, and whether they stand at its opening. -#}
{% macro revenue_since(opening_month) -%}
    select
        months.month as compared_month,
        false as is_opening,
        revenue.*
    from months
    inner join revenue on months.month = revenue.month

    union all

    select
        months.month as compared_month,
        true as is_opening,
        revenue.*
    from months
    inner join revenue on months.{{ opening_month }} = revenue.month
{%- endmacro %}
