with

source as (
    {{ accepted_rows("raw_pos", "sales") }}
),

renamed as (
    select
        -- ids
        {{ cast_or_null("sale_line_id", "text") }} as sale_line_id,
        {{ cast_or_null("receipt_id", "text") }} as receipt_id,
        {{ cast_or_null("store_id", "text") }} as store_id,
        {{ cast_or_null("product_id", "text") }} as product_id,
        {{ text_or_null("customer_id") }} as customer_id,
        {{ text_or_null("promotion_id") }} as promotion_id,

        -- strings
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("quantity", "bigint") }} as quantity,
        {{ cast_or_null("unit_price", "double") }} as unit_price,

        -- timestamps
        {{ cast_or_null("sold_at", "timestamp") }} as sold_at,
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at") }}
