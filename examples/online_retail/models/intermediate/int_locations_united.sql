select
    'WEB' as location_id,
    'Web shop' as location_name,
    'web' as kind,
    {{ catalyst.cast_or_null("null", "text") }} as warehouse_id,
    {{ catalyst.cast_or_null("null", "text") }} as city
