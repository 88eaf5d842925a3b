with

sales as (
    select * from {{ ref("sales") }}
    where line_type = 'product'
),

costs as (select * from {{ ref("int_product_costs_versioned") }}),

costed as (
    select
        sales.order_id,
        sales.channel,
        sales.store_id,
        sales.customer_id,
        sales.sold_at,
        sales.sold_date,
        sales.is_return,
        sales.units_sold,
        sales.units_returned,
        sales.gross_amount_eur,
        {{ cast_or_null("(sales.units_sold - sales.units_returned) * costs.unit_cost_eur", "numeric(18,4)") }}
            as known_cost_eur
    from sales
    left join costs
        on
            sales.product_id = costs.product_id
            and {{ is_valid_on("sales.sold_date", "costs.valid_from", "costs.valid_until") }}
),

summed as (
    select
        order_id,
        channel,
        store_id,
        max(customer_id) as customer_id,
        min(sold_at) as ordered_at,
        min(sold_date) as ordered_date,
        {{ cast_or_null("sum(units_sold)", "bigint") }} as units_sold,
        {{ cast_or_null("sum(units_returned)", "bigint") }} as units_returned,
        {{ cast_or_null("sum(case when is_return then 0 else gross_amount_eur end)", "numeric(18,4)") }} as sales_eur,
        {{ cast_or_null("sum(case when is_return then -gross_amount_eur else 0 end)", "numeric(18,4)") }}
            as returned_eur,
        {{ cast_or_null("sum(gross_amount_eur)", "numeric(18,4)") }} as net_sales_eur,
        {{ cast_or_null(
            "sum(case when known_cost_eur is null then 0 else gross_amount_eur end)", "numeric(18,4)"
        ) }} as costed_net_sales_eur,
        {{ cast_or_null("coalesce(sum(known_cost_eur), 0)", "numeric(18,4)") }} as cost_eur
    from costed
    group by order_id, channel, store_id
),

ranked as (
    select
        order_id,
        row_number() over (
            partition by customer_id
            order by ordered_at asc nulls last, order_id asc nulls last
        ) as customer_order_number
    from summed
    where customer_id is not null and units_sold > 0
),

numbered as (
    select
        summed.order_id,
        summed.channel,
        summed.store_id,
        summed.customer_id,
        summed.ordered_at,
        summed.ordered_date,
        summed.units_sold > 0 as is_order,
        ranked.customer_order_number,
        ranked.customer_order_number > 1 as is_repeat_order,
        summed.units_sold,
        summed.units_returned,
        summed.sales_eur,
        summed.returned_eur,
        summed.net_sales_eur,
        summed.costed_net_sales_eur,
        summed.cost_eur,
        {{ cast_or_null("summed.costed_net_sales_eur - summed.cost_eur", "numeric(18,4)") }} as gross_margin_eur
    from summed
    left join ranked on summed.order_id = ranked.order_id
)

select * from numbered
