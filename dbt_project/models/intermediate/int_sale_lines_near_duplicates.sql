{%- set changed = changed_sale_days() -%}
{%- set read = with_earlier(changed, days=near_duplicate_days()) -%}
{%- set landings = landings_of(read) %}
with

pos_sales as (
    select * from {{ ref("stg_pos__sales") }}
    where
        {{ in_periods("landed_on", landings) }}
        and {{ in_periods("cast(sold_at as date)", read) }}
        and customer_id is not null
        and quantity > 0
),

web_orders as (
    select * from {{ ref("stg_web__orders") }}
    where
        {{ in_periods("landed_on", landings) }}
        and {{ in_periods("cast(ordered_at as date)", read) }}
),

candidates as (
    select
        pos_sales.sale_line_id,
        cast(pos_sales.sold_at as date) as sold_date,
        web_orders.order_line_id,
        {{ seconds_between("web_orders.ordered_at", "pos_sales.sold_at") }} as seconds_apart
    from pos_sales
    inner join web_orders
        on
            pos_sales.customer_id = web_orders.customer_id
            and pos_sales.product_id = web_orders.product_id
            and pos_sales.quantity = web_orders.quantity
            and pos_sales.currency = web_orders.currency
            and {{ cast_or_null("pos_sales.unit_price", "numeric(18,4)") }}
            = {{ cast_or_null("web_orders.unit_price", "numeric(18,4)") }}
            and pos_sales.sold_at >= web_orders.ordered_at
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by sale_line_id
            order by seconds_apart asc nulls last, order_line_id asc nulls last
        ) as web_rank,
        row_number() over (
            partition by order_line_id
            order by seconds_apart asc nulls last, sale_line_id asc nulls last
        ) as pos_rank
    from candidates
    where seconds_apart <= 60 * {{ var("near_duplicate_minutes") }}
),

paired as (
    -- Each the nearest of the other, so that a line is in one pair at most; of two equal sales in a till one stays.
    select
        sale_line_id,
        sold_date,
        order_line_id as kept_sale_line_id,
        seconds_apart / 60.0 as minutes_apart,
        'click_and_collect' as rule
    from ranked
    where web_rank = 1 and pos_rank = 1
)

select * from paired
where {{ in_periods("sold_date", changed) }}
