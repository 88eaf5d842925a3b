with

invoice_lines as (
    select * from {{ ref("stg_online_retail__invoice_lines") }}
    where customer_id is not null
),

ranked as (
    select
        customer_id,
        country,
        min(invoiced_at) over (partition by customer_id) as signed_up_at,
        row_number() over (
            partition by customer_id
            order by invoiced_at desc nulls last, invoice_line_id asc nulls last
        ) as recency_rank
    from invoice_lines
),

customers as (
    select
        customer_id,
        {{ catalyst.cast_or_null("null", "text") }} as full_name,
        {{ catalyst.cast_or_null("null", "text") }} as email,
        {{ catalyst.cast_or_null("null", "text") }} as city,
        country,
        {{ catalyst.cast_or_null("null", "bigint") }} as birth_year,
        signed_up_at
    from ranked
    where recency_rank = 1
)

select * from customers
