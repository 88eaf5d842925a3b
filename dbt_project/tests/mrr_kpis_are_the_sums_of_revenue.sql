-- The company is the sum of its segments and of all revenue, and a month opens with what the one before closed with.
with

kpis as (select * from {{ ref("mrr_kpis") }}),

company as (
    select
        month,
        opening_mrr_eur,
        closing_mrr_eur,
        closing_customers,
        subscriptions,
        coalesce(lag(closing_mrr_eur) over (order by month asc nulls last), 0) as previous_closing_mrr_eur
    from kpis
    where segment = 'all'
),

segments as (
    select
        month,
        sum(closing_mrr_eur) as closing_mrr_eur,
        sum(closing_customers) as closing_customers
    from kpis
    where segment != 'all'
    group by month
),

revenue as (
    select
        month,
        sum(amount_eur) as amount_eur,
        sum(subscriptions) as subscriptions,
        count(distinct customer_id) as customers
    from {{ ref("monthly_recurring_revenue") }}
    group by month
)

select
    company.month,
    company.closing_mrr_eur,
    segments.closing_mrr_eur as closing_mrr_eur_of_segments,
    revenue.amount_eur as closing_mrr_eur_of_revenue
from company
inner join segments on company.month = segments.month
left join revenue on company.month = revenue.month
where
    company.closing_mrr_eur != segments.closing_mrr_eur
    or company.closing_mrr_eur != coalesce(revenue.amount_eur, 0)
    or company.opening_mrr_eur != company.previous_closing_mrr_eur
    or company.closing_customers != segments.closing_customers
    or company.closing_customers != coalesce(revenue.customers, 0)
    or company.subscriptions != coalesce(revenue.subscriptions, 0)
