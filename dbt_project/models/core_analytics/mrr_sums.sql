{%- set changed = changed_months("int_mrr_months_compared") -%}
with

months as (
    select * from {{ ref("int_mrr_months_compared") }}
    where {{ in_periods("month", changed) }}
),

revenue as (
    select * from {{ ref("monthly_recurring_revenue") }}
    where {{ in_periods("month", changed) }}
),

movements as (
    select * from {{ ref("mrr_movements") }}
    where {{ in_periods("month", changed) }}
),

stacked as (
    select
        months.month,
        revenue.segment,
        revenue.cohort_month,
        revenue.customer_id,
        'closing' as measure,
        revenue.amount_eur,
        revenue.amount_eur_constant,
        revenue.subscriptions
    from months
    inner join revenue on months.month = revenue.month

    union all

    select
        months.month,
        movements.segment,
        movements.cohort_month,
        movements.customer_id,
        movements.movement as measure,
        movements.amount_eur,
        0 as amount_eur_constant,
        0 as subscriptions
    from months
    inner join movements on months.month = movements.month
),

summed as (
    select
        month,
        segment,
        cohort_month,
        measure,
        {{ cast_or_null("sum(amount_eur)", "numeric(18,4)") }} as amount_eur,
        {{ cast_or_null("sum(amount_eur_constant)", "numeric(18,4)") }} as amount_eur_constant,
        {{ cast_or_null("sum(subscriptions)", "bigint") }} as subscriptions,
        count(distinct customer_id) as customers
    from stacked
    group by month, segment, cohort_month, measure
)

select * from summed
