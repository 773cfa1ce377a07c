# Makes the account and the database where there are none yet, and becomes the server.
set -eu
data=/var/lib/postgresql/data
programs=$(echo /usr/lib/postgresql/*/bin)
cd /
if [ ! -s "$data/PG_VERSION" ]; then
    umask 077
    mkdir -p "$data"
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    chown -R postgres: /var/lib/postgresql /tmp/password
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
    $as "$programs/initdb" -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password \
        -A scram-sha-256 -E UTF8 --locale=C.UTF-8
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    # Nobody reaches it before the database is there.
    $as "$programs/pg_ctl" -D "$data" -w -o "-c listen_addresses= -k /tmp" start
    PGPASSWORD=$POSTGRES_PASSWORD createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
    $as "$programs/pg_ctl" -D "$data" -w -m fast stop
    rm /tmp/password
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups \
    "$programs/postgres" -D "$data" -c listen_addresses='*' -k /tmp
