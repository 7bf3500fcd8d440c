#!/bin/bash
# Follows the documented contract of the official image's entry point: the effects of the environment on a first start,
# and the behaviour as root and as another user.
set -euo pipefail

fail() {
  echo "docker-entrypoint.sh: $*" >&2
  exit 1
}

# The value of a variable, or of the file that <variable>_FILE names; both at once are an error.
setting() {
  local name=$1 default=$2 file=$1_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then fail "$name and $file are both set; set one"; fi
  if [ -n "${!file:-}" ]; then printf -v "$name" '%s' "$(cat "${!file}")"; fi
  export "$name=${!name:-$default}"
  unset "$file"
}

sql() {
  PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" "$@"
}

make_directories() {
  mkdir -p "$PGDATA"
  # Neither is fatal: if the directory belongs to another user, Postgres itself reports that.
  chmod 0700 "$PGDATA" || true
  mkdir -p /var/run/postgresql && chmod 03775 /var/run/postgresql || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
  fi
}

initialise() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    fail "the database is not initialised and POSTGRES_PASSWORD is empty; set it, or POSTGRES_HOST_AUTH_METHOD=trust"
  fi
  # The arguments are words as in a shell, with quotes.
  local arguments=()
  eval "arguments=($POSTGRES_INITDB_ARGS)"
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "${@:2}")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# Runs the files in the directory, with a server that only listens on its socket.
run_first_start_files() {
  local file
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  NOTIFY_SOCKET='' pg_ctl -w -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")" start
  if [ "$POSTGRES_DB" != postgres ]; then
    sql --dbname=postgres --set=db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        # shellcheck source=/dev/null
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) sql --dbname="$POSTGRES_DB" --file="$file" ;;
      *.sql.gz) gunzip -c "$file" | sql --dbname="$POSTGRES_DB" ;;
    esac
  done
  pg_ctl -w -D "$PGDATA" -m fast stop
  unset PGPASSWORD
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
case "$1 ${2:-}" in
  "postgres --help" | "postgres -?" | "postgres --version" | "postgres -V" | "postgres --describe-config") exec "$@" ;;
esac
if [ "$1" = postgres ]; then
  setting POSTGRES_PASSWORD ""
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS ""
  POSTGRES_HOST_AUTH_METHOD=${POSTGRES_HOST_AUTH_METHOD:-}
  make_directories
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initialise "$@"
    run_first_start_files "$@"
    echo "PostgreSQL init process complete; ready for start up."
  else
    echo "PostgreSQL Database directory appears to contain a database; Skipping initialization"
  fi
fi
exec "$@"
