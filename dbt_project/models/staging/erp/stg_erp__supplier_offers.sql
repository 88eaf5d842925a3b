with

source as (
    {{ accepted_rows("raw_erp", "supplier_offers") }}
),

renamed as (
    select
        -- ids
        {{ identifier("supplier_id") }} as supplier_id,
        {{ identifier("product_id") }} as product_id,

        -- strings
        {{ text_or_null("supplier_name") }} as supplier_name,
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("unit_cost", "double") }} as unit_cost,
        {{ cast_or_null("minimum_order_quantity", "bigint") }} as minimum_order_quantity,
        {{ cast_or_null("pack_size", "bigint") }} as pack_size,
        {{ cast_or_null("lead_time_days", "double") }} as lead_time_days,
        {{ cast_or_null("lead_time_sd_days", "double") }} as lead_time_sd_days,

        -- dates
        {{ cast_or_null("exported_at", "date") }} as exported_on,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("exported_on", "landed_on") }}
