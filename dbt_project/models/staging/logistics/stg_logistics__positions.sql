with

source as (
    {{ accepted_rows("raw_logistics", "positions") }}
),

renamed as (
    select
        -- ids
        {{ identifier("position_id") }} as position_id,
        {{ identifier("shipment_id") }} as shipment_id,
        {{ identifier("vehicle_id") }} as vehicle_id,
        {{ identifier("origin_location_id") }} as origin_location_id,
        {{ identifier("destination_location_id") }} as destination_location_id,

        -- strings
        {{ cast_or_null("status", "text") }} as status,

        -- numerics
        {{ cast_or_null("latitude", "double") }} as latitude,
        {{ cast_or_null("longitude", "double") }} as longitude,
        {{ cast_or_null("speed_kmh", "double") }} as speed_kmh,
        {{ cast_or_null("temperature_c", "double") }} as temperature_c,

        -- timestamps
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,
        {{ cast_or_null("received_at", "timestamp") }} as received_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("received_at", "landed_on") }}
