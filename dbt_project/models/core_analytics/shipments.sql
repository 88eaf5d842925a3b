with

positions as (select * from {{ ref("stg_logistics__positions") }}),

ordered as (
    select
        positions.*,
        lag(latitude) over (
            partition by shipment_id
            order by recorded_at asc nulls last, position_id asc nulls last
        ) as latitude_before,
        lag(longitude) over (
            partition by shipment_id
            order by recorded_at asc nulls last, position_id asc nulls last
        ) as longitude_before,
        row_number() over (
            partition by shipment_id
            order by recorded_at desc nulls last, position_id desc nulls last
        ) as recency_rank
    from positions
),

driven as (
    -- To the metre, so that the sum does not depend on the order of its rows.
    select
        ordered.*,
        {{ cast_or_null(
            kilometres_between("latitude_before", "longitude_before", "latitude", "longitude"), "numeric(18,3)"
        ) }} as leg_km
    from ordered
),

latest as (
    select * from driven
    where recency_rank = 1
),

summed as (
    select
        shipment_id,
        min(recorded_at) as departed_at,
        min(case when status = 'delivered' then recorded_at end) as delivered_at,
        max(recorded_at) as last_recorded_at,
        count(*) as positions,
        {{ cast_or_null("sum(leg_km)", "numeric(18,3)") }} as distance_km,
        min(temperature_c) as min_temperature_c,
        max(temperature_c) as max_temperature_c
    from driven
    group by shipment_id
),

described as (
    select
        summed.shipment_id,
        latest.vehicle_id,
        latest.origin_location_id,
        latest.destination_location_id,
        latest.status,
        summed.departed_at,
        summed.delivered_at,
        summed.delivered_at is not null as is_delivered,
        {{ seconds_between("summed.departed_at", "coalesce(summed.delivered_at, summed.last_recorded_at)") }} / 3600.0
            as hours_under_way,
        summed.distance_km,
        summed.positions,
        latest.latitude as last_latitude,
        latest.longitude as last_longitude,
        summed.last_recorded_at,
        summed.min_temperature_c,
        summed.max_temperature_c
    from summed
    inner join latest on summed.shipment_id = latest.shipment_id
)

select * from described
