with

source as (
    {{ accepted_rows("raw_marketing", "promotions") }}
),

renamed as (
    select
        -- ids
        {{ identifier("promotion_id") }} as promotion_id,
        {{ identifier("product_id") }} as product_id,

        -- strings
        {{ text_or_null("promotion_name") }} as promotion_name,
        {{ text_or_null("category") }} as raw_category,

        -- numerics
        {{ cast_or_null("discount_rate", "double") }} as discount_rate,

        -- dates
        {{ cast_or_null("starts_on", "date") }} as starts_on,
        {{ cast_or_null("ends_on", "date") }} as ends_on,
        {{ cast_or_null("published_at", "date") }} as published_on,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("published_on", "landed_on") }}
