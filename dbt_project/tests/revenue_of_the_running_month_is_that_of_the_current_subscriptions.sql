-- Worked another way than in the models: the state that each subscription is in on the as-of date, asked each of the
-- policies once, without any stretch of time or month.
with

states as (
    select * from {{ ref("int_subscriptions_normalized") }}
    where {{ is_valid_on(as_of(), "valid_from", "valid_until") }}
),

expected as (
    select
        coalesce(sum(
            case
                when '{{ var("mrr_discounts") }}' = 'deduct' and discount_ends_on > {{ as_of() }}
                    then discounted_monthly_amount
                else monthly_amount
            end
        ), 0) as amount
    from states
    where
        (
            status = 'active'
            or (status = 'trialing' and trial_ends_on is not null)
            or (
                status = 'past_due'
                and coalesce({{ as_of() }} < {{ add_days("past_due_from", past_due_grace_days()) }}, true)
            )
            or (status = 'paused' and '{{ var("mrr_paused") }}' = 'include')
        )
        and coalesce(trial_ends_on <= {{ as_of() }}, true)
        and coalesce(ended_on > {{ as_of() }}, true)
        and ('{{ var("mrr_churn_recognized") }}' = 'end' or coalesce(canceled_on > {{ as_of() }}, true))
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
