-- never null: position, on_hand, on_order, reorder_point, forecast_units, cover_days, lead_time_days, days_covered
-- never null: safety_stock_units, missing_units, quantity, minimum_order_quantity, pack_size, order_by_date
with

needs as (
    select * from {{ ref("purchase_needs") }}
    where position < reorder_point
),

offers as (
    select * from {{ ref("int_supplier_offers_ranked") }}
    where offer_rank = 1
),

products as (select * from {{ ref("products") }}),

ordered as (
    select
        needs.*,
        offers.supplier_name,
        offers.unit_cost_eur,
        offers.minimum_order_quantity,
        offers.pack_size,
        needs.reorder_point - needs.position as missing_units,
        {{ cast_or_null(
            "ceil("
            ~ safe_divide(
                "greatest(offers.minimum_order_quantity, needs.reorder_point - needs.position)", "offers.pack_size"
            )
            ~ ") * offers.pack_size",
            "bigint"
        ) }} as quantity,
        {{ add_days("needs.as_of_date", "greatest(1, needs.days_covered - needs.lead_time_days)") }} as order_by_date
    from needs
    inner join offers on needs.product_id = offers.product_id
),

explained as (
    select
        ordered.as_of_date,
        ordered.product_id,
        coalesce(products.product_name, ordered.product_id) as product_name,
        ordered.warehouse_id,
        ordered.supplier_id,
        ordered.supplier_name,
        ordered.quantity,
        ordered.order_by_date,
        ordered.unit_cost_eur,
        {{ cast_or_null("ordered.quantity * ordered.unit_cost_eur", "numeric(18,2)") }} as expected_cost_eur,
        ordered.on_hand,
        ordered.on_order,
        ordered.position,
        ordered.forecast_units as forecast_lead_time_units,
        ordered.safety_stock_units,
        ordered.reorder_point,
        ordered.minimum_order_quantity,
        ordered.pack_size,
        ordered.lead_time_days,
        concat(
            {{ format_decimal("ordered.position", 0) }}, ' units in stock or on order (',
            {{ format_decimal("ordered.on_hand", 0) }}, ' + ', {{ format_decimal("ordered.on_order", 0) }},
            ') are fewer than the ', {{ format_decimal("ordered.reorder_point", 2) }}, ' needed: ',
            {{ format_decimal("ordered.forecast_units", 2) }}, ' expected to sell in ',
            {{ format_decimal("ordered.cover_days", 0) }}, ' days (',
            {{ format_decimal("ordered.lead_time_days", 0) }}, ' until delivery, ',
            {{ format_decimal("ordered.cover_days - ordered.lead_time_days", 0) }}, ' until the next review) plus ',
            {{ format_decimal("ordered.safety_stock_units", 2) }}, ' safety stock; ',
            {{ format_decimal("ordered.missing_units", 2) }}, ' are missing, so order ',
            {{ format_decimal("ordered.quantity", 0) }}, ' (minimum order ',
            {{ format_decimal("ordered.minimum_order_quantity", 0) }}, ', packs of ',
            {{ format_decimal("ordered.pack_size", 0) }}, ') by ',
            {{ cast_or_null("ordered.order_by_date", "text") }}, '.'
        ) as reason
    from ordered
    left join products on ordered.product_id = products.product_id
)

select * from explained
