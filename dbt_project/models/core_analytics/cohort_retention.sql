with

months as (select * from {{ ref("int_mrr_months") }}),

movements as (
    select * from {{ ref("mrr_sums") }}
    where measure = 'closing'
),

active as (
    select
        cohort_month,
        month,
        sum(customers) as customers,
        sum(amount_eur_constant) as mrr_eur
    from movements
    group by cohort_month, month
),

cohorts as (
    -- Whoever is in a cohort pays in its first month.
    select
        cohort_month,
        customers,
        mrr_eur
    from active
    where month = cohort_month
),

retained as (
    select
        cohorts.cohort_month,
        months.month,
        12 * (extract(year from months.month) - extract(year from cohorts.cohort_month))
        + extract(month from months.month) - extract(month from cohorts.cohort_month) as months_since_start,
        cohorts.customers,
        coalesce(active.customers, 0) as active_customers,
        cohorts.mrr_eur as start_mrr_eur,
        coalesce(active.mrr_eur, 0) as mrr_eur
    from cohorts
    inner join months on cohorts.cohort_month <= months.month
    left join active on cohorts.cohort_month = active.cohort_month and months.month = active.month
),

rated as (
    select
        cohort_month,
        month,
        {{ cast_or_null("months_since_start", "bigint") }} as months_since_start,
        {{ cast_or_null("customers", "bigint") }} as customers,
        {{ cast_or_null("active_customers", "bigint") }} as active_customers,
        {{ cast_or_null(safe_divide("active_customers", "customers"), "numeric(18,6)") }} as logo_retention,
        {{ cast_or_null("start_mrr_eur", "numeric(18,4)") }} as start_mrr_eur,
        {{ cast_or_null("mrr_eur", "numeric(18,4)") }} as mrr_eur,
        {{ cast_or_null(safe_divide("mrr_eur", "start_mrr_eur"), "numeric(18,6)") }} as revenue_retention
    from retained
)

select * from rated
