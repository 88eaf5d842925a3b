-- Worked another way than in the model: the last state of each subscription alone, without any month.
with

states as (
    select
        status,
        started_on,
        ended_on,
        monthly_amount,
        known_until
    from {{ ref("int_subscriptions_normalized") }}
),

expected as (
    select coalesce(sum(monthly_amount), 0) as amount
    from states
    where
        known_until = {{ end_of_time() }}
        and status in ('active', 'past_due')
        and started_on <= {{ as_of() }}
        and (ended_on is null or ended_on > {{ as_of() }})
),

actual as (
    select coalesce(sum(amount), 0) as amount
    from {{ ref("monthly_recurring_revenue") }}
    where month = {{ month_start(as_of()) }}
)

select
    expected.amount as expected_amount,
    actual.amount as actual_amount
from expected
cross join actual
where expected.amount != actual.amount
