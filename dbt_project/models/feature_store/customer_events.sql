-- never null: order_id
with

events as (
    select
        customer_id,
        case when units_sold > 0 then 'order' else 'return' end as event_type,
        concat(coalesce(store_id, ''), ' ', order_id) as event_id,
        sold_at as event_at,
        recorded_at as known_at,
        gross_amount_eur as amount_eur,
        {{ cast_or_null("null", "bigint") }} as seconds
    from {{ ref("sales") }}
    where line_type = 'product'
    union all
    select
        customer_id,
        'login' as event_type,
        login_id as event_id,
        logged_in_at as event_at,
        recorded_at as known_at,
        null as amount_eur,
        session_seconds as seconds
    from {{ ref("stg_app__logins") }}
    union all
    select
        customer_id,
        'web_session' as event_type,
        session_id as event_id,
        occurred_at as event_at,
        received_at as known_at,
        null as amount_eur,
        null as seconds
    from {{ ref("stg_web__clicks") }}
    union all
    select
        customer_id,
        'payment_failure' as event_type,
        invoice_id as event_id,
        issued_at as event_at,
        issued_at as known_at,
        null as amount_eur,
        null as seconds
    from {{ ref("stg_billing__invoices") }}
    where status in ('open', 'uncollectible')
    union all
    -- What makes a person a customer who has done nothing else yet.
    select
        customer_id,
        'sign_up' as event_type,
        customer_id as event_id,
        coalesce(signed_up_at, updated_at) as event_at,
        updated_at as known_at,
        null as amount_eur,
        null as seconds
    from {{ ref("stg_pos__customers") }}
    union all
    select
        customer_id,
        'subscription' as event_type,
        subscription_id as event_id,
        started_at as event_at,
        updated_at as known_at,
        null as amount_eur,
        null as seconds
    from {{ ref("stg_billing__subscriptions") }}
    union all
    select
        customer_id,
        'support_contact' as event_type,
        interaction_id as event_id,
        interaction_at as event_at,
        known_at,
        null as amount_eur,
        null as seconds
    from {{ ref("int_customer_interactions") }}
    where kind in ('support_call', 'support_email')
)

select
    coalesce(customer_ids.customer_id, events.customer_id) as customer_id,
    events.event_type,
    events.event_id,
    cast(events.event_at as date) as event_date,
    cast(events.known_at as date) as known_date,
    {{ cast_or_null("sum(events.amount_eur)", "numeric(18,4)") }} as amount_eur,
    {{ cast_or_null("max(events.seconds)", "bigint") }} as seconds
from events
left join {{ ref("int_customer_ids") }} as customer_ids
    on events.customer_id = customer_ids.source_customer_id and customer_ids.is_register
where events.customer_id is not null
group by
    coalesce(customer_ids.customer_id, events.customer_id),
    events.event_type,
    events.event_id,
    cast(events.event_at as date),
    cast(events.known_at as date)
