with

invoice_lines as (select * from {{ ref("stg_online_retail__invoice_lines") }}),

non_goods_codes as (select * from {{ ref("non_goods_codes") }}),

classified as (
    select
        lines.invoice_line_id as sale_line_id,
        lines.invoice_no as order_id,
        'web' as channel,
        'WEB' as store_id,
        lines.stock_code as product_id,
        lines.customer_id,
        {{ catalyst.cast_or_null("null", "text") }} as promotion_id,
        'GBP' as currency,
        lines.quantity,
        lines.unit_price,
        lines.invoiced_at as sold_at,
        lines.invoiced_at as recorded_at,
        case
            when non_goods.line_type is not null then non_goods.line_type
            when lower(lines.description) = 'test' then 'test'
            -- found, damaged, thrown away, sent for nothing: the stock was put right, and nobody bought
            when lines.unit_price = 0 then 'adjustment'
            else 'product'
        end as line_type
    from invoice_lines as lines
    left join non_goods_codes as non_goods on lines.stock_code = non_goods.stock_code
)

select * from classified
