-- A closed month as it closed, with all its restatements, is what is said of it now. A look into the past may differ.
with

ledger as (select * from {{ ref("mrr_closed_months") }}),

position as (
    select coalesce(max(recorded_as_of), {{ as_of() }}) <= {{ as_of() }} as is_latest
    from ledger
),

closed as (
    select months.month
    from {{ ref("int_mrr_months") }} as months
    cross join position
    where {{ add_days("last_day(months.month)", var("mrr_close_days")) }} <= {{ as_of() }} and position.is_latest
),

entries as (
    select
        month,
        customer_id,
        currency,
        amount,
        amount_eur
    from {{ ref("monthly_recurring_revenue") }}

    union all

    select
        month,
        customer_id,
        currency,
        -amount as amount,
        -amount_eur as amount_eur
    from ledger
    where version = 1

    union all

    select
        month,
        customer_id,
        currency,
        old_amount - new_amount as amount,
        old_amount_eur - new_amount_eur as amount_eur
    from {{ ref("mrr_restatements") }}
)

select
    month,
    customer_id,
    currency,
    sum(amount) as difference,
    sum(amount_eur) as difference_eur
from entries
where month in (select closed.month from closed)
group by month, customer_id, currency
having sum(amount) != 0 or sum(amount_eur) != 0
