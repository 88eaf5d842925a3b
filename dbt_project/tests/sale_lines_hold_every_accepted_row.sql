-- Lines that count and near-duplicates are together what staging holds: nothing is lost, nothing comes twice.
-- The package is named, so that this test falls away with the model where another project defines its own.
with

staged as (
    select quantity from {{ ref("stg_pos__sales") }}
    union all
    select quantity from {{ ref("stg_web__orders") }}
),

expected as (
    select
        count(*) as sale_lines,
        coalesce(sum(quantity), 0) as quantity
    from staged
),

told as (
    select quantity from {{ ref("catalyst", "int_sale_lines_united") }}
    union all
    select pos_sales.quantity
    from {{ ref("int_sale_lines_near_duplicates") }} as near_duplicates
    inner join {{ ref("stg_pos__sales") }} as pos_sales on near_duplicates.sale_line_id = pos_sales.sale_line_id
),

actual as (
    select
        count(*) as sale_lines,
        coalesce(sum(quantity), 0) as quantity
    from told
)

select
    expected.sale_lines as staged_lines,
    actual.sale_lines as told_lines,
    expected.quantity as staged_quantity,
    actual.quantity as told_quantity
from expected
cross join actual
where expected.sale_lines != actual.sale_lines or expected.quantity != actual.quantity
