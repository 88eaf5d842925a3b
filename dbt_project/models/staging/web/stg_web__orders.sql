with

source as (
    {{ accepted_rows("raw_web", "orders") }}
),

renamed as (
    select
        -- ids
        {{ cast_or_null("order_line_id", "text") }} as order_line_id,
        {{ cast_or_null("order_id", "text") }} as order_id,
        {{ cast_or_null("product_id", "text") }} as product_id,
        {{ text_or_null("customer_id") }} as customer_id,
        {{ text_or_null("promotion_id") }} as promotion_id,

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
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at") }}
