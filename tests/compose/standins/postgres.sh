#!/bin/sh
# What of the image postgres docker-compose.yml uses: a server of Debian's, made at the first start.
set -eu
PATH=$(ls -d /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
if [ ! -s "$data/PG_VERSION" ]; then
    install -d -o postgres -g postgres -m 700 "$data"
    password=$(mktemp)
    cat "$POSTGRES_PASSWORD_FILE" >"$password"
    chown postgres "$password"
    as initdb --pgdata "$data" --username "$POSTGRES_USER" --pwfile "$password" --auth scram-sha-256 --encoding UTF8 \
        --locale C.UTF-8 >/dev/null
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    as pg_ctl --pgdata "$data" --wait --options "-c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp" start
    PGPASSWORD=$(cat "$password") as createdb --host 127.0.0.1 --username "$POSTGRES_USER" "$POSTGRES_DB" || true
    as pg_ctl --pgdata "$data" --wait --mode fast stop
fi
exec setpriv --reuid postgres --regid postgres --clear-groups \
    "$(command -v postgres)" -D "$data" -c "listen_addresses=*" -c unix_socket_directories=/tmp
