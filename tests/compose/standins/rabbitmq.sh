#!/bin/sh
# What of the image rabbitmq docker-compose.yml uses: Debian's server, with both plug-ins.
set -eu
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
echo "[rabbitmq_management,rabbitmq_prometheus]." >/etc/rabbitmq/enabled_plugins
exec rabbitmq-server
