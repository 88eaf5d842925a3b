-- depends_on: {{ ref("int_sale_days_landed") }}
{%- set changed = changed_periods(periods_of(["int_sale_lines_near_duplicates"])) -%}
{%- set landings = landings_of(changed) %}
with

pos_sales as (
    select * from {{ ref("stg_pos__sales") }}
    where
        {{ in_periods("cast(sold_at as date)", changed) }}
        and {{ in_periods("landed_on", landings) }}
),

web_orders as (
    select * from {{ ref("stg_web__orders") }}
    where
        {{ in_periods("cast(ordered_at as date)", changed) }}
        and {{ in_periods("landed_on", landings) }}
),

near_duplicates as (
    select * from {{ ref("int_sale_lines_near_duplicates") }}
    where {{ in_periods("sold_date", changed) }}
),

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
        cast(sold_at as date) as sold_date,
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
        cast(ordered_at as date) as sold_date,
        recorded_at,
        'product' as line_type
    from web_orders
)

select * from united
