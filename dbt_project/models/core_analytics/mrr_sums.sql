with

months as (
    select * from {{ ref("int_mrr_months_compared") }}
    where {{ is_month_missing("month") }}
),

revenue as (select * from {{ ref("monthly_recurring_revenue") }}),

movements as (select * from {{ ref("mrr_movements") }}),

stacked as (
    select
        months.month,
        months.month_checksum,
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
        months.month_checksum,
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
        count(distinct customer_id) as customers,
        month_checksum
    from stacked
    group by month, segment, cohort_month, measure, month_checksum
)

select * from summed
