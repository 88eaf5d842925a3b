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

actual as (
    select
        count(*) as sale_lines,
        coalesce(sum(quantity), 0) as quantity
    from {{ ref("catalyst", "int_sale_lines_united") }}
)

select
    expected.sale_lines as staged_lines,
    actual.sale_lines as united_lines,
    expected.quantity as staged_quantity,
    actual.quantity as united_quantity
from expected
cross join actual
where expected.sale_lines != actual.sale_lines or expected.quantity != actual.quantity
