with

source as (
    {{ accepted_rows("raw_pos", "sales") }}
),

renamed as (
    select
        -- ids
        {{ identifier("sale_line_id") }} as sale_line_id,
        {{ identifier("receipt_id") }} as receipt_id,
        {{ identifier("store_id") }} as store_id,
        {{ identifier("product_id") }} as product_id,
        {{ identifier("customer_id") }} as customer_id,
        {{ identifier("promotion_id") }} as promotion_id,

        -- strings
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("quantity", "bigint") }} as quantity,
        {{ cast_or_null("unit_price", "double") }} as unit_price,

        -- timestamps
        {{ cast_or_null("sold_at", "timestamp") }} as sold_at,
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at", "landed_on") }}
