{%- set changed = changed_periods(periods_of(["stg_pos__sales", "stg_web__orders"])) -%}
with

pos_sales as (
    select * from {{ ref("stg_pos__sales") }}
    where {{ in_periods("landed_on", changed) }}
),

web_orders as (
    select * from {{ ref("stg_web__orders") }}
    where {{ in_periods("landed_on", changed) }}
),

lines as (
    select
        landed_on,
        cast(sold_at as date) as sold_date,
        {{ row_checksum([
            "sale_line_id", "receipt_id", "store_id", "product_id", "customer_id", "promotion_id", "currency",
            "quantity", "unit_price", "sold_at", "recorded_at",
        ]) }} as checksum
    from pos_sales

    union all

    select
        landed_on,
        cast(ordered_at as date) as sold_date,
        {{ row_checksum([
            "order_line_id", "order_id", "product_id", "customer_id", "promotion_id", "currency", "quantity",
            "unit_price", "ordered_at", "recorded_at",
        ]) }} as checksum
    from web_orders
),

summed as (
    select
        landed_on,
        sold_date,
        count(*) as sale_lines,
        {{ cast_or_null("sum(checksum)", "bigint") }} as checksum
    from lines
    group by landed_on, sold_date
)

select * from summed
