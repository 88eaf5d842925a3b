{%- set changed = changed_months("int_mrr_months") -%}
with

months as (
    select * from {{ ref("int_mrr_months") }}
    where {{ in_periods("month", changed) }}
),

amounts as (select * from {{ ref("int_recurring_amounts") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

constant_rates as (
    select * from rates
    where valid_on = {{ constant_currency_day() }}
),

summed as (
    select
        months.month,
        months.moment,
        amounts.customer_id,
        amounts.currency,
        amounts.segment,
        amounts.cohort_month,
        {{ cast_or_null("sum(amounts.monthly_amount)", "numeric(18,4)") }} as amount,
        count(*) as subscriptions
    from months
    inner join amounts on {{ is_valid_on("months.moment", "amounts.valid_from", "amounts.valid_until") }}
    group by
        months.month,
        months.moment,
        amounts.customer_id,
        amounts.currency,
        amounts.segment,
        amounts.cohort_month
),

converted as (
    select
        summed.month,
        summed.customer_id,
        summed.currency,
        summed.segment,
        summed.cohort_month,
        summed.amount,
        summed.subscriptions,
        {{ cast_or_null("summed.amount * rates.eur_rate", "numeric(18,4)") }} as amount_eur,
        {{ cast_or_null("summed.amount * constant_rates.eur_rate", "numeric(18,4)") }} as amount_eur_constant
    from summed
    left join rates on summed.currency = rates.currency and summed.moment = rates.valid_on
    left join constant_rates on summed.currency = constant_rates.currency
)

select * from converted
