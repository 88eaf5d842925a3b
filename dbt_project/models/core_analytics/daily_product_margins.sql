with

daily_sales as (select * from {{ ref("daily_product_sales") }}),

costs as (select * from {{ ref("int_product_costs_versioned") }}),

costed as (
    select
        sales.*,
        costs.unit_cost_eur,
        {{ cast_or_null("(sales.units_sold - sales.units_returned) * costs.unit_cost_eur", "numeric(18,4)") }}
            as known_cost_eur
    from daily_sales as sales
    left join costs
        on
            sales.product_id = costs.product_id
            and {{ is_valid_on("sales.sold_date", "costs.valid_from", "costs.valid_until") }}
),

margins as (
    select
        sold_date,
        store_id,
        product_id,
        units_sold,
        units_returned,
        {{ cast_or_null("net_sales_eur + returned_eur", "numeric(18,4)") }} as sales_eur,
        returned_eur,
        net_sales_eur,
        unit_cost_eur,
        {{ cast_or_null("case when unit_cost_eur is null then 0 else net_sales_eur end", "numeric(18,4)") }}
            as costed_net_sales_eur,
        coalesce(known_cost_eur, 0) as cost_eur,
        {{ cast_or_null("coalesce(net_sales_eur - known_cost_eur, 0)", "numeric(18,4)") }} as gross_margin_eur
    from costed
)

select * from margins
