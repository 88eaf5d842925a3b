-- never null: sold_at
with

sale_lines as (select * from {{ ref("int_sale_lines_united") }}),

invoice_lines as (select * from {{ ref("stg_online_retail__invoice_lines") }}),

goods as (
    select
        sale_lines.product_id,
        sale_lines.sale_line_id,
        sale_lines.sold_at,
        sale_lines.unit_price,
        sale_lines.currency,
        invoice_lines.description
    from sale_lines
    inner join invoice_lines on sale_lines.sale_line_id = invoice_lines.invoice_line_id
    where sale_lines.line_type = 'product'
),

latest as (
    select
        goods.*,
        min(goods.sold_at) over (partition by goods.product_id) as first_sold_at,
        row_number() over (
            partition by goods.product_id
            order by goods.sold_at desc nulls last, goods.sale_line_id asc nulls last
        ) as recency_rank
    from goods
),

products as (
    select
        latest.product_id,
        coalesce(latest.description, latest.product_id) as product_name,
        'Other' as category,
        {{ catalyst.cast_or_null("latest.unit_price * rates.eur_rate", "numeric(18,4)") }} as list_price_eur,
        {{ catalyst.cast_or_null("null", "numeric(18,4)") }} as unit_cost_eur,
        cast(latest.first_sold_at as date) as introduced_on,
        {{ catalyst.cast_or_null("null", "text") }} as raw_category
    from latest
    left join {{ ref("int_currency_rates_dated") }} as rates
        on
            latest.currency = rates.currency
            and {{ catalyst.rate_day("cast(latest.sold_at as date)") }} = rates.valid_on
    where latest.recency_rank = 1
)

select * from products
