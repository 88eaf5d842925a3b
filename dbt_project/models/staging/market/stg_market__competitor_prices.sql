with

source as (
    {{ accepted_rows("raw_market", "competitor_prices") }}
),

renamed as (
    select
        -- ids
        {{ identifier("observation_id") }} as observation_id,
        {{ identifier("product_id") }} as product_id,

        -- strings
        {{ text_or_null("competitor") }} as competitor,
        {{ cast_or_null("currency", "text") }} as currency,
        {{ text_or_null("unit_of_measure") }} as unit_of_measure,
        {{ text_or_null("url") }} as url,

        -- numerics
        {{ cast_or_null("price", "double") }} as price,
        {{ cast_or_null("pack_size", "bigint") }} as pack_size,

        -- timestamps
        {{ cast_or_null("observed_at", "timestamp") }} as observed_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("observed_at", "landed_on") }}
