with

daily_stock as (select * from {{ ref("daily_stock") }}),

locations as (select * from {{ ref("locations") }}),

empty_days as (
    -- Nothing was left on the evening before and on that evening, and no location that is served from there sold any.
    select
        locations.location_id as store_id,
        stock.product_id,
        stock.stock_date as empty_date,
        {{ iso_date_part("weekday", "stock.stock_date") }} as weekday
    from daily_stock as stock
    inner join daily_stock as stock_before
        on
            stock.warehouse_id = stock_before.warehouse_id
            and stock.product_id = stock_before.product_id
            and stock.stock_date = {{ add_days("stock_before.stock_date", 1) }}
    inner join locations on stock.warehouse_id = locations.warehouse_id
    where
        stock.is_stocked_out
        and stock_before.is_stocked_out
        and stock.units_sold = 0
        and locations.kind != 'warehouse'
)

select * from empty_days
