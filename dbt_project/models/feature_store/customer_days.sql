with

events as (select * from {{ ref("customer_events") }}),

ranked as (
    -- What became known bit by bit counts with its first bit, which nothing that becomes known later can change.
    select
        events.*,
        row_number() over (
            partition by customer_id, event_type, event_id
            order by known_date asc nulls last, event_date asc nulls last
        ) as event_rank,
        row_number() over (
            partition by customer_id, event_type, event_date
            order by known_date asc nulls last, event_id asc nulls last
        ) as day_rank
    from events
),

counted as (
    select
        ranked.*,
        case when event_rank = 1 then 1 else 0 end as events,
        case when day_rank = 1 then 1 else 0 end as days
    from ranked
)

select
    customer_id,
    event_date,
    known_date,
    {{ cast_or_null("sum(case when event_type = 'order' then events else 0 end)", "bigint") }} as orders,
    {{ cast_or_null("sum(case when event_type = 'order' then days else 0 end)", "bigint") }} as order_days,
    {{ cast_or_null("coalesce(sum(amount_eur), 0)", "numeric(18,4)") }} as spent_eur,
    {{ cast_or_null("sum(case when event_type = 'login' then events else 0 end)", "bigint") }} as app_sessions,
    {{ cast_or_null("sum(case when event_type = 'login' then days else 0 end)", "bigint") }} as login_days,
    {{ cast_or_null("coalesce(sum(seconds), 0)", "bigint") }} as app_seconds,
    {{ cast_or_null("sum(case when event_type = 'web_session' then events else 0 end)", "bigint") }} as web_sessions,
    {{ cast_or_null("sum(case when event_type = 'payment_failure' then events else 0 end)", "bigint") }}
        as payment_failures,
    {{ cast_or_null("sum(case when event_type = 'support_contact' then events else 0 end)", "bigint") }}
        as support_contacts
from counted
group by customer_id, event_date, known_date
