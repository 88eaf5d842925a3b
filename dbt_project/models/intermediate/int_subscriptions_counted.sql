-- never null: valid_from, valid_until
with

states as (select * from {{ ref("int_subscriptions_normalized") }}),

counted as (
    select
        subscription_id,
        customer_id,
        plan_id,
        currency,
        monthly_amount,
        discounted_monthly_amount,
        case
            when {{ policy("mrr_discounts", var("mrr_discounts"), ["deduct", "ignore"]) }} = 'deduct'
                then discount_ends_on
        end as discount_ends_on,
        greatest(
            valid_from,
            coalesce(trial_ends_on, case when status = 'trialing' then {{ end_of_time() }} else valid_from end)
        ) as valid_from,
        least(
            valid_until,
            coalesce(ended_on, valid_until),
            case
                when {{ policy("mrr_churn_recognized", var("mrr_churn_recognized"), ["end", "request"]) }} = 'request'
                    then coalesce(canceled_on, valid_until)
                else valid_until
            end,
            coalesce({{ add_days("past_due_from", past_due_grace_days()) }}, valid_until)
        ) as valid_until
    from states
    where
        status in ('trialing', 'active', 'past_due')
        or (
            status = 'paused'
            and {{ policy("mrr_paused", var("mrr_paused"), ["exclude", "include"]) }} = 'include'
        )
),

pieces as (
    -- A coupon that ends within a state leaves two amounts.
    select
        subscription_id,
        customer_id,
        plan_id,
        currency,
        discounted_monthly_amount as monthly_amount,
        valid_from,
        least(valid_until, coalesce(discount_ends_on, valid_until)) as valid_until
    from counted
    where discount_ends_on is not null

    union all

    select
        subscription_id,
        customer_id,
        plan_id,
        currency,
        monthly_amount,
        greatest(valid_from, coalesce(discount_ends_on, valid_from)) as valid_from,
        valid_until
    from counted
)

select * from pieces
where valid_from < valid_until and monthly_amount > 0
