with

pos_sales as (select * from {{ ref("stg_pos__sales") }}),

web_orders as (select * from {{ ref("stg_web__orders") }}),

near_duplicates as (select * from {{ ref("int_sale_lines_near_duplicates") }}),

counted_pos_sales as (
    select pos_sales.*
    from pos_sales
    left join near_duplicates on pos_sales.sale_line_id = near_duplicates.sale_line_id
    where near_duplicates.sale_line_id is null
),

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
    from counted_pos_sales

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
