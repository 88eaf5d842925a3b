{%- set day_formats = ["%d-%b-%y", "%m/%d/%y"] -%}
with

source as (
    {{ catalyst.accepted_rows("raw_scms", "delivery_lines") }}
),

renamed as (
    select
        -- ids
        {{ catalyst.cast_or_null("id", "bigint") }} as delivery_line_id,
        asn_dnx as delivery_id,
        po_sox as order_id,
        case when pqx != 'Pre-PQ Process' then pqx end as quote_id,
        project_code as project_id,
        case
            when weight_kilogramsx like 'See %'
                then {{ catalyst.cast_or_null(
                    "replace(substr(weight_kilogramsx, strpos(weight_kilogramsx, '#:') + 2), ')', '')", "bigint"
                ) }}
        end as shared_line_id,

        -- strings
        country,
        managed_by,
        fulfill_via,
        case when vendor_inco_term != 'N/A - From RDC' then vendor_inco_term end as incoterm,
        {{ catalyst.text_or_null("shipment_mode") }} as shipment_mode,
        product_group,
        sub_classification,
        vendor,
        item_description,
        molecule_test_type,
        brand,
        {{ catalyst.text_or_null("dosage") }} as dosage,
        dosage_form,
        manufacturing_site,
        case
            when pq_first_sent_to_client_date = 'Pre-PQ Process' then 'before_quotes'
            when pq_first_sent_to_client_date = 'Date Not Captured' then 'not_captured'
            else 'known'
        end as quote_date_status,
        case
            when po_sent_to_vendor_date = 'N/A - From RDC' then 'from_stock'
            when po_sent_to_vendor_date = 'Date Not Captured' then 'not_captured'
            else 'known'
        end as order_date_status,
        case
            when weight_kilogramsx = 'Weight Captured Separately' then 'captured_separately'
            when weight_kilogramsx like 'See %' then 'at_shared_line'
            else 'known'
        end as weight_status,
        case
            when freight_cost_usdx = 'Freight Included in Commodity Cost' then 'included_in_price'
            when freight_cost_usdx = 'Invoiced Separately' then 'invoiced_separately'
            when freight_cost_usdx like 'See %' then 'at_shared_line'
            else 'known'
        end as freight_status,

        -- numerics
        {{ catalyst.cast_or_null("unit_of_measure_per_packx", "bigint") }} as units_per_pack,
        {{ catalyst.cast_or_null("line_item_quantity", "bigint") }} as packs,
        {{ catalyst.cast_or_null("line_item_value", "numeric(18,4)") }} as value_usd,
        {{ catalyst.cast_or_null("pack_price", "numeric(18,4)") }} as pack_price_usd,
        {{ catalyst.cast_or_null("unit_price", "numeric(18,4)") }} as unit_price_usd,
        {{ catalyst.cast_or_null("weight_kilogramsx", "bigint") }} as weight_kg,
        {{ catalyst.cast_or_null("freight_cost_usdx", "numeric(18,4)") }} as freight_usd,
        {{ catalyst.cast_or_null("line_item_insurance_usdx", "numeric(18,4)") }} as insurance_usd,

        -- booleans
        first_line_designation = 'Yes' as is_first_line,

        -- dates
        {{ catalyst.date_from_formats("pq_first_sent_to_client_date", day_formats) }} as quoted_on,
        {{ catalyst.date_from_formats("po_sent_to_vendor_date", day_formats) }} as ordered_on,
        {{ catalyst.date_from_formats("scheduled_delivery_date", day_formats) }} as scheduled_on,
        {{ catalyst.date_from_formats("delivered_to_client_date", day_formats) }} as delivered_on,
        {{ catalyst.date_from_formats("delivery_recorded_date", day_formats) }} as recorded_on

    from source
)

select * from renamed
where {{ catalyst.known_by_as_of("recorded_on") }}
