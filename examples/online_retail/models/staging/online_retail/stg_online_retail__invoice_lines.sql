-- never null: invoice_no, stock_code
with

source as (
    {{ catalyst.accepted_rows("raw_online_retail", "invoice_lines") }}
),

renamed as (
    select
        -- ids: the source numbers no lines, but the order of a file's rows is theirs
        concat(
            invoice_no,
            '-',
            upper(stock_code),
            '-',
            {{ catalyst.cast_or_null(
                "row_number() over (partition by invoice_no, upper(stock_code)"
                ~ " order by _dlt_load_id asc nulls last, _row asc nulls last)",
                "text"
            ) }}
        ) as invoice_line_id,
        invoice_no,
        upper(stock_code) as stock_code,
        replace(customer_id, '.0', '') as customer_id,

        -- strings
        nullif(trim(description), '') as description,
        country,

        -- numerics
        {{ catalyst.cast_or_null("quantity", "bigint") }} as quantity,
        {{ catalyst.cast_or_null("unit_price", "double") }} as unit_price,

        -- timestamps
        {{ catalyst.cast_or_null("invoice_date", "timestamp") }} as invoiced_at

    from source
)

select * from renamed
where {{ catalyst.known_by_as_of("invoiced_at") }}
