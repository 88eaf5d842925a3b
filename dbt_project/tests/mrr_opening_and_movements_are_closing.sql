-- Per customer and currency, so per currency and in total too: what a month has more than the one before is the sum of
-- its movements, exactly, in the currency and in EUR.
with

months as (
    select
        month,
        lead(month) over (order by month asc nulls last) as next_month
    from {{ ref("int_mrr_months") }}
),

revenue as (select * from {{ ref("monthly_recurring_revenue") }}),

entries as (
    select
        month,
        customer_id,
        currency,
        amount,
        amount_eur
    from revenue

    union all

    select
        months.next_month as month,
        revenue.customer_id,
        revenue.currency,
        -revenue.amount as amount,
        -revenue.amount_eur as amount_eur
    from revenue
    inner join months on revenue.month = months.month
    where months.next_month is not null

    union all

    select
        month,
        customer_id,
        currency,
        -amount as amount,
        -amount_eur as amount_eur
    from {{ ref("mrr_movements") }}
)

select
    month,
    customer_id,
    currency,
    sum(amount) as unexplained,
    sum(amount_eur) as unexplained_eur
from entries
group by month, customer_id, currency
having sum(amount) != 0 or sum(amount_eur) != 0
