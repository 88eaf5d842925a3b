with

offers as (select * from {{ ref("stg_erp__supplier_offers") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

latest_export as (
    -- Each export is complete: an offer that is no longer in it has been withdrawn.
    select max(exported_on) as exported_on
    from offers
),

valid_offers as (
    select
        offers.supplier_id,
        offers.product_id,
        coalesce(offers.supplier_name, offers.supplier_id) as supplier_name,
        {{ cast_or_null("offers.unit_cost * rates.eur_rate", "numeric(18,4)") }} as unit_cost_eur,
        offers.minimum_order_quantity,
        offers.pack_size,
        offers.lead_time_days,
        coalesce(offers.lead_time_sd_days, 0) as lead_time_sd_days,
        offers.exported_on
    from offers
    inner join latest_export on offers.exported_on = latest_export.exported_on
    left join rates on offers.currency = rates.currency and offers.exported_on = rates.valid_on
    where offers.unit_cost > 0 and offers.pack_size > 0 and offers.lead_time_days >= 0
),

ranked as (
    select
        valid_offers.*,
        row_number() over (
            partition by product_id
            order by unit_cost_eur asc nulls last, lead_time_days asc nulls last, supplier_id asc nulls last
        ) as offer_rank
    from valid_offers
)

select * from ranked
