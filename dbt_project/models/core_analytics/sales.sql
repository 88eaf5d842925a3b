-- never null: sold_date
with

sale_lines as (select * from {{ ref("int_sale_lines_united") }}),

products as (select * from {{ ref("int_products_harmonized") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

classified as (
    select
        sale_line_id,
        order_id,
        channel,
        store_id,
        product_id,
        customer_id,
        promotion_id,
        line_type,
        currency,
        quantity,
        unit_price,
        sold_at,
        cast(sold_at as date) as sold_date,
        recorded_at,
        line_type = 'product' and quantity < 0 as is_return,
        case when line_type = 'product' and quantity > 0 then quantity else 0 end as units_sold,
        case when line_type = 'product' and quantity < 0 then -quantity else 0 end as units_returned
    from sale_lines
),

valued as (
    select
        lines.sale_line_id,
        lines.order_id,
        lines.channel,
        lines.store_id,
        lines.product_id,
        coalesce(products.category, 'Other') as category,
        coalesce(customer_ids.customer_id, lines.customer_id) as customer_id,
        lines.promotion_id,
        lines.line_type,
        lines.is_return,
        lines.quantity,
        lines.units_sold,
        lines.units_returned,
        lines.unit_price,
        lines.currency,
        {{ cast_or_null("lines.quantity * lines.unit_price * rates.eur_rate", "numeric(18,4)") }} as gross_amount_eur,
        lines.sold_at,
        lines.sold_date,
        lines.recorded_at
    from classified as lines
    left join customer_ids on lines.customer_id = customer_ids.source_customer_id
    left join products on lines.product_id = products.product_id
    left join rates on lines.currency = rates.currency and {{ rate_day("lines.sold_date") }} = rates.valid_on
)

select * from valued
