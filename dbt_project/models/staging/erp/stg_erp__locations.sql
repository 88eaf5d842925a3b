with

source as (
    {{ accepted_rows("raw_erp", "locations") }}
),

renamed as (
    select
        -- ids
        {{ identifier("location_id") }} as location_id,
        {{ identifier("warehouse_id") }} as warehouse_id,

        -- strings
        {{ text_or_null("location_name") }} as location_name,
        {{ cast_or_null("kind", "text") }} as kind,
        {{ text_or_null("city") }} as city,

        -- dates
        {{ cast_or_null("exported_at", "date") }} as exported_on,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("exported_on", "landed_on") }}
