with

aliases as (select * from {{ ref("category_aliases") }}),

spellings as (
    select
        'raw_erp.products' as feed,
        raw_category,
        product_id,
        exported_on as seen_on
    from {{ ref("stg_erp__products") }}

    union all

    select
        'raw_web.orders' as feed,
        raw_category,
        product_id,
        cast(ordered_at as date) as seen_on
    from {{ ref("stg_web__orders") }}

    union all

    select
        'raw_marketing.promotions' as feed,
        raw_category,
        product_id,
        published_on as seen_on
    from {{ ref("stg_marketing__promotions") }}
),

unmatched as (
    select
        spellings.feed,
        spellings.raw_category,
        {{ category_key("spellings.raw_category") }} as spelling,
        count(*) as source_rows,
        min(spellings.seen_on) as first_seen_on,
        max(spellings.seen_on) as last_seen_on,
        min(spellings.product_id) as example_product_id
    from spellings
    left join aliases on {{ category_key("spellings.raw_category") }} = aliases.alias
    where spellings.raw_category is not null and aliases.alias is null
    group by spellings.feed, spellings.raw_category
)

select * from unmatched
