with

source as (
    {{ accepted_rows("raw_web", "orders") }}
),

renamed as (
    select
        -- ids
        {{ identifier("order_line_id") }} as order_line_id,
        {{ identifier("order_id") }} as order_id,
        {{ identifier("product_id") }} as product_id,
        {{ identifier("customer_id") }} as customer_id,
        {{ identifier("promotion_id") }} as promotion_id,

        -- strings
        {{ text_or_null("category") }} as raw_category,
        {{ cast_or_null("currency", "text") }} as currency,
        {{ text_or_null("shipping_country") }} as shipping_country,
        {{ text_or_null("device") }} as device,

        -- numerics
        {{ cast_or_null("quantity", "bigint") }} as quantity,
        {{ cast_or_null("unit_price", "double") }} as unit_price,

        -- timestamps
        {{ cast_or_null("ordered_at", "timestamp") }} as ordered_at,
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at", "landed_on") }}
