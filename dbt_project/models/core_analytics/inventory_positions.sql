with

inventory as (select * from {{ ref("stg_wms__inventory") }}),

ranked as (
    select
        inventory.*,
        row_number() over (
            partition by warehouse_id, product_id
            order by snapshot_date desc nulls last, recorded_at desc nulls last
        ) as recency_rank
    from inventory
),

latest as (
    select
        warehouse_id,
        product_id,
        snapshot_date,
        on_hand,
        on_order,
        on_hand + on_order as position
    from ranked
    where recency_rank = 1
)

select * from latest
