with

exported_locations as (select * from {{ ref("stg_erp__locations") }}),

ranked as (
    select
        exported_locations.*,
        row_number() over (partition by location_id order by exported_on desc nulls last) as version_rank
    from exported_locations
),

united as (
    select
        location_id,
        location_name,
        kind,
        warehouse_id,
        city
    from ranked
    where version_rank = 1
)

select * from united
