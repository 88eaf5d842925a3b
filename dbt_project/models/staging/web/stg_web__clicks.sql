with

source as (
    {{ accepted_rows("raw_web", "clicks") }}
),

renamed as (
    select
        -- ids
        {{ identifier("event_id") }} as event_id,
        {{ identifier("session_id") }} as session_id,
        {{ identifier("customer_id") }} as customer_id,
        {{ identifier("product_id") }} as product_id,
        {{ identifier("order_id") }} as order_id,

        -- strings
        {{ cast_or_null("event_type", "text") }} as event_type,
        {{ text_or_null("device") }} as device,
        {{ text_or_null("referrer") }} as referrer,

        -- timestamps
        {{ cast_or_null("occurred_at", "timestamp") }} as occurred_at,
        {{ cast_or_null("received_at", "timestamp") }} as received_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("received_at", "landed_on") }}
