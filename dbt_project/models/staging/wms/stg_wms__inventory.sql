with

source as (
    {{ accepted_rows("raw_wms", "inventory") }}
),

renamed as (
    select
        -- ids
        {{ identifier("warehouse_id") }} as warehouse_id,
        {{ identifier("product_id") }} as product_id,

        -- numerics
        {{ cast_or_null("on_hand", "bigint") }} as on_hand,
        {{ cast_or_null("on_order", "bigint") }} as on_order,

        -- dates
        {{ cast_or_null("snapshot_date", "date") }} as snapshot_date,

        -- timestamps
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at", "landed_on") }}
