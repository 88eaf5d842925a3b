with

delivery_lines as (select * from {{ ref("stg_scms__delivery_lines") }}),

timed as (
    select
        delivery_lines.*,
        value_usd = 0 as is_free,
        {{ catalyst.days_between("scheduled_on", "delivered_on") }} as days_late,
        {{ catalyst.days_between("ordered_on", "delivered_on") }} as lead_time_days
    from delivery_lines
)

select
    delivery_line_id,
    delivery_id,
    order_id,
    quote_id,
    shared_line_id,
    project_id,
    country,
    vendor,
    manufacturing_site,
    fulfill_via,
    incoterm,
    shipment_mode,
    product_group,
    sub_classification,
    item_description,
    molecule_test_type,
    brand,
    dosage,
    dosage_form,
    quote_date_status,
    quoted_on,
    order_date_status,
    ordered_on,
    scheduled_on,
    delivered_on,
    recorded_on,
    days_late,
    days_late > 0 as is_late,
    lead_time_days,
    units_per_pack,
    packs,
    pack_price_usd,
    value_usd,
    is_free,
    weight_status,
    weight_kg,
    freight_status,
    freight_usd,
    insurance_usd
from timed
