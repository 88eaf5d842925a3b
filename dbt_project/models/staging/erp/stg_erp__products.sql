with

source as (
    {{ accepted_rows("raw_erp", "products") }}
),

renamed as (
    select
        -- ids
        {{ identifier("product_id") }} as product_id,

        -- strings
        {{ text_or_null("product_name") }} as product_name,
        {{ text_or_null("category") }} as raw_category,
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("list_price", "double") }} as list_price,
        {{ cast_or_null("unit_cost", "double") }} as unit_cost,

        -- dates
        {{ cast_or_null("introduced_on", "date") }} as introduced_on,
        {{ cast_or_null("exported_at", "date") }} as exported_on,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("exported_on", "landed_on") }}
