-- What the demo shows from the warehouse.

-- name: result
SELECT weather, hours, flights, mean_delay_minutes, late_percent, cancelled_percent
FROM "out.c-nyc".weather_impact
ORDER BY mean_delay_minutes DESC
LIMIT 3;

-- name: loaded
SELECT count(*) AS flights FROM "in.c-nyc".flights;
