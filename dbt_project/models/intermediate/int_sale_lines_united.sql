with

pos_sales as (select * from {{ ref("stg_pos__sales") }}),

web_orders as (select * from {{ ref("stg_web__orders") }}),

united as (
    select
        sale_line_id,
        receipt_id as order_id,
        'store' as channel,
        store_id,
        product_id,
        customer_id,
        promotion_id,
        currency,
        quantity,
        unit_price,
        sold_at,
        recorded_at,
        'product' as line_type
    from pos_sales

    union all

    select
        order_line_id as sale_line_id,
        order_id,
        'web' as channel,
        'WEB' as store_id,
        product_id,
        customer_id,
        promotion_id,
        currency,
        quantity,
        unit_price,
        ordered_at as sold_at,
        recorded_at,
        'product' as line_type
    from web_orders
)

select * from united
