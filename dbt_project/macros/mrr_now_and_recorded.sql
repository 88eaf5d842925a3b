{#- Of every key in the CTE `changed_months`: what the CTE `revenue` says now, and what the versions in the CTE `recorded`
    come to together; 0 where one of them does not know it. -#}
{% macro mrr_now_and_recorded() -%}
    select
        month,
        customer_id,
        currency,
        {{ catalyst.cast_or_null("sum(amount)", "numeric(18,4)") }} as amount,
        {{ catalyst.cast_or_null("sum(amount_eur)", "numeric(18,4)") }} as amount_eur,
        {{ catalyst.cast_or_null("sum(subscriptions)", "bigint") }} as subscriptions,
        {{ catalyst.cast_or_null("sum(previous_amount)", "numeric(18,4)") }} as previous_amount,
        {{ catalyst.cast_or_null("sum(previous_amount_eur)", "numeric(18,4)") }} as previous_amount_eur
    from (
        select
            month,
            customer_id,
            currency,
            amount,
            amount_eur,
            subscriptions,
            0 as previous_amount,
            0 as previous_amount_eur
        from revenue

        union all

        select
            month,
            customer_id,
            currency,
            0 as amount,
            0 as amount_eur,
            0 as subscriptions,
            recorded.amount - recorded.previous_amount as previous_amount,
            recorded.amount_eur - recorded.previous_amount_eur as previous_amount_eur
        from recorded
    ) as stacked
    where month in (select changed_months.month from changed_months)
    group by month, customer_id, currency
{%- endmacro %}
