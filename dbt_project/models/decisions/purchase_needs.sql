with

demand as (select * from {{ ref("purchase_demand") }}),

offers as (
    select * from {{ ref("int_supplier_offers_ranked") }}
    where offer_rank = 1
),

positions as (select * from {{ ref("inventory_positions") }}),

counted_warehouses as (
    -- Where nothing has ever been counted, "nothing in stock" would be a guess.
    select distinct warehouse_id
    from positions
),

summed as (
    select
        warehouse_id,
        product_id,
        max(day_number) as cover_days,
        sum(case when is_lead_time then 1 else 0 end) as lead_time_days,
        {{ cast_or_null("max(mean_units)", "double") }} as mean_units,
        {{ cast_or_null("sum(units)", "numeric(18,2)") }} as forecast_units,
        {{ cast_or_null("sum(case when is_lead_time then squared_spread else 0 end)", "double") }} as squared_spread
    from demand
    group by warehouse_id, product_id
),

buffered as (
    -- 1.2816 standard deviations lie between the 50 % and the 90 % quantile; a late delivery is buffered alike.
    select
        summed.warehouse_id,
        summed.product_id,
        offers.supplier_id,
        summed.cover_days,
        summed.lead_time_days,
        summed.forecast_units,
        {{ cast_or_null(
            "sqrt(summed.squared_spread + power(1.2816 * summed.mean_units * offers.lead_time_sd_days, 2))",
            "numeric(18,2)"
        ) }} as safety_stock_units,
        coalesce(positions.on_hand, 0) as on_hand,
        coalesce(positions.on_order, 0) as on_order,
        coalesce(positions.position, 0) as position
    from summed
    inner join offers on summed.product_id = offers.product_id
    inner join counted_warehouses on summed.warehouse_id = counted_warehouses.warehouse_id
    left join positions
        on summed.warehouse_id = positions.warehouse_id and summed.product_id = positions.product_id
),

covered as (
    -- How many days the position lasts before it eats into the safety stock.
    select
        buffered.warehouse_id,
        buffered.product_id,
        count(*) as days_covered
    from buffered
    inner join demand
        on
            buffered.warehouse_id = demand.warehouse_id
            and buffered.product_id = demand.product_id
            and buffered.position - buffered.safety_stock_units >= demand.units_so_far
    group by buffered.warehouse_id, buffered.product_id
),

needs as (
    select
        {{ as_of() }} as as_of_date,
        buffered.warehouse_id,
        buffered.product_id,
        buffered.supplier_id,
        buffered.on_hand,
        buffered.on_order,
        buffered.position,
        buffered.cover_days,
        {{ cast_or_null("buffered.lead_time_days", "bigint") }} as lead_time_days,
        buffered.forecast_units,
        buffered.safety_stock_units,
        buffered.forecast_units + buffered.safety_stock_units as reorder_point,
        coalesce(covered.days_covered, 0) as days_covered
    from buffered
    left join covered
        on buffered.warehouse_id = covered.warehouse_id and buffered.product_id = covered.product_id
)

select * from needs
