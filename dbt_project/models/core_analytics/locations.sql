with

known_locations as (select * from {{ ref("int_locations_united") }}),

stores_with_sales as (
    select
        store_id as location_id,
        max(channel) as kind
    from {{ ref("sales") }}
    group by store_id
),

combined as (
    -- A store may sell before the export lists it; no warehouse serves it as far as we know.
    select
        coalesce(known_locations.location_id, stores_with_sales.location_id) as location_id,
        coalesce(known_locations.location_name, known_locations.location_id, stores_with_sales.location_id)
            as location_name,
        coalesce(known_locations.kind, stores_with_sales.kind) as kind,
        known_locations.warehouse_id,
        known_locations.city
    from known_locations
    full outer join stores_with_sales on known_locations.location_id = stores_with_sales.location_id
)

select * from combined
