# moto's S3 server. It has no path for health checks: a bucket of that name answers there.
set -eu
(
    until wget -q -O /dev/null http://127.0.0.1:7070/moto-api/; do sleep 0.2; done
    wget -q -O /dev/null --method=PUT "http://127.0.0.1:7070$VGW_HEALTH"
) &
exec /venv/bin/moto_server -H 0.0.0.0 -p 7070
