{%- set changed = changed_months("int_mrr_months") -%}
with

months as (
    select * from {{ ref("int_mrr_months") }}
    where {{ in_periods("month", changed) }}
),

amounts as (select * from {{ ref("int_recurring_amounts") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

summed as (
    select
        months.month,
        months.moment,
        amounts.plan_id,
        amounts.currency,
        {{ cast_or_null("sum(amounts.monthly_amount)", "numeric(18,4)") }} as amount,
        count(*) as subscriptions
    from months
    inner join amounts on {{ is_valid_on("months.moment", "amounts.valid_from", "amounts.valid_until") }}
    group by months.month, months.moment, amounts.plan_id, amounts.currency
),

converted as (
    select
        summed.month,
        summed.plan_id,
        summed.currency,
        summed.amount,
        summed.subscriptions,
        {{ cast_or_null("summed.amount * rates.eur_rate", "numeric(18,4)") }} as amount_eur
    from summed
    left join rates on summed.currency = rates.currency and summed.moment = rates.valid_on
)

select * from converted
