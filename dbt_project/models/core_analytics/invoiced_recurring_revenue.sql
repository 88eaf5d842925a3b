-- never null: month
with

shares as (
    select * from {{ ref("int_invoices_spread") }}
    where month <= {{ as_of() }}
),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

summed as (
    select
        month,
        {{ month_moment("month") }} as moment,
        customer_id,
        currency,
        {{ cast_or_null("sum(amount)", "numeric(18,4)") }} as amount,
        count(case when document_type = 'invoice' then 1 end) as invoices
    from shares
    group by month, customer_id, currency
),

converted as (
    select
        summed.month,
        summed.customer_id,
        summed.currency,
        summed.amount,
        {{ cast_or_null("summed.amount * rates.eur_rate", "numeric(18,4)") }} as amount_eur,
        summed.invoices
    from summed
    left join rates on summed.currency = rates.currency and summed.moment = rates.valid_on
    where summed.amount != 0
)

select * from converted
