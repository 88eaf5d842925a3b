with

clicks as (select * from {{ ref("stg_web__clicks") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

sessions as (
    select
        session_id,
        max(customer_id) as customer_id,
        max(device) as device,
        max(referrer) as referrer,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as clicks,
        count(case when event_type = 'view' then 1 end) as views,
        count(case when event_type = 'search' then 1 end) as searches,
        count(case when event_type = 'add_to_cart' then 1 end) as carts,
        count(distinct case when event_type = 'purchase' then order_id end) as orders
    from clicks
    group by session_id
),

described as (
    select
        sessions.session_id,
        coalesce(customer_ids.customer_id, sessions.customer_id) as customer_id,
        sessions.device,
        sessions.referrer,
        sessions.started_at,
        sessions.ended_at,
        {{ seconds_between("sessions.started_at", "sessions.ended_at") }} as session_seconds,
        sessions.clicks,
        sessions.views,
        sessions.searches,
        sessions.carts,
        sessions.orders,
        sessions.orders > 0 as is_converted
    from sessions
    left join customer_ids on sessions.customer_id = customer_ids.source_customer_id
)

select * from described
