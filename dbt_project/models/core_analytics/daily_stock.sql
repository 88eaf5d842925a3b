with

inventory as (select * from {{ ref("stg_wms__inventory") }}),

daily_sales as (select * from {{ ref("daily_product_sales") }}),

locations as (select * from {{ ref("locations") }}),

served as (
    select
        daily_sales.sold_date,
        locations.warehouse_id,
        daily_sales.product_id,
        {{ cast_or_null("sum(daily_sales.units_sold)", "bigint") }} as units_sold
    from daily_sales
    inner join locations on daily_sales.store_id = locations.location_id
    group by daily_sales.sold_date, locations.warehouse_id, daily_sales.product_id
),

counted as (
    select
        inventory.snapshot_date as stock_date,
        inventory.warehouse_id,
        inventory.product_id,
        inventory.on_hand,
        inventory.on_order,
        inventory.on_hand <= 0 as is_stocked_out,
        coalesce(served.units_sold, 0) as units_sold
    from inventory
    left join served
        on
            inventory.snapshot_date = served.sold_date
            and inventory.warehouse_id = served.warehouse_id
            and inventory.product_id = served.product_id
)

select * from counted
