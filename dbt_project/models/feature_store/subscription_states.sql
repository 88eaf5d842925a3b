-- never null: known_from, known_until, started_on
with

subscriptions as (select * from {{ ref("stg_billing__subscriptions") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

states as (
    -- A state is known from the day on which billing entered it, however far back it reaches.
    select
        subscriptions.subscription_id,
        coalesce(customer_ids.customer_id, subscriptions.customer_id) as customer_id,
        subscriptions.plan_id,
        subscriptions.billing_interval,
        subscriptions.status,
        coalesce(subscriptions.discount_percent, subscriptions.discount_amount, 0) > 0 as has_discount,
        cast(subscriptions.started_at as date) as started_on,
        cast(subscriptions.canceled_at as date) as canceled_on,
        cast(subscriptions.ended_at as date) as ended_on,
        subscriptions.is_deleted,
        last_value(subscriptions.is_deleted) over (
            partition by subscriptions.subscription_id order by subscriptions.updated_at asc nulls last
            rows between current row and unbounded following
        ) as is_deleted_by_now,
        cast(subscriptions.updated_at as date) as known_from,
        coalesce(
            lead(cast(subscriptions.updated_at as date)) over (
                partition by subscriptions.subscription_id order by subscriptions.updated_at asc nulls last
            ),
            {{ end_of_time() }}
        ) as known_until
    from subscriptions
    left join customer_ids on subscriptions.customer_id = customer_ids.source_customer_id
)

-- Kept until it ends or the customer asks for that, whatever comes first: then it is too late to keep them.
select
    subscription_id,
    customer_id,
    plan_id,
    billing_interval,
    status,
    has_discount,
    started_on,
    is_deleted_by_now is true as is_mistake,
    known_from,
    greatest(known_from, started_on) as kept_from,
    case
        when status in ('canceled', 'unpaid') or is_deleted is true then greatest(known_from, started_on)
        else least(
            known_until,
            coalesce(ended_on, {{ end_of_time() }}),
            coalesce(canceled_on, {{ end_of_time() }})
        )
    end as kept_until
from states
