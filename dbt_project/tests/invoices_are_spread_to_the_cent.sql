-- The months of a paid invoice together are the invoice, and what lies in the past is in the mart, no more and no less.
with

spread as (
    select
        document_id,
        sum(amount) as amount
    from {{ ref("int_invoices_spread") }}
    where document_type = 'invoice'
    group by document_id
),

torn as (
    select
        coalesce(invoices.invoice_id, spread.document_id) as what,
        invoices.amount as expected,
        spread.amount as found
    from {{ ref("stg_billing__invoices") }} as invoices
    full outer join spread on invoices.invoice_id = spread.document_id
    where coalesce(case when invoices.status = 'paid' then invoices.amount end, 0) != coalesce(spread.amount, 0)
),

past as (
    select
        currency,
        sum(amount) as amount
    from {{ ref("int_invoices_spread") }}
    where month <= {{ as_of() }}
    group by currency
),

told as (
    select
        currency,
        sum(amount) as amount
    from {{ ref("invoiced_recurring_revenue") }}
    group by currency
),

missing as (
    select
        coalesce(past.currency, told.currency) as what,
        past.amount as expected,
        told.amount as found
    from past
    full outer join told on past.currency = told.currency
    where coalesce(past.amount, 0) != coalesce(told.amount, 0)
)

select * from torn
union all
select * from missing
