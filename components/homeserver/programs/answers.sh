#!/bin/sh
# Does Synapse answer, and read its database for that? An alias that nobody can have made is looked up there.
# (Its own /health says 200 as long as the process runs.)
# Usage: answers.sh SOCKET SERVER_NAME
set -eu

# After the database was away, each connection that Synapse kept (ten at most by default) fails one request.
tries=12
while :; do
  ended=0
  answer=$(curl --silent --max-time 4 --noproxy '*' --unix-socket "$1" --write-out '\n%{http_code}' \
    -- "http://localhost/_matrix/client/v3/directory/room/%23hearth%20health:$2") || ended=$?
  status=${answer##*
}
  tries=$((tries - 1))
  case $status in 5*) [ "$tries" = 0 ] || continue ;; esac
  break
done
case $ended/$status/$answer in
  0/404/*M_NOT_FOUND*) exit 0 ;;
  0/5*) echo "Synapse answers $status: it runs, but cannot read its database. Is Postgres up?" >&2 ;;
  7/*) echo "nobody listens on $1: Synapse does not run" >&2 ;;
  28/*) echo "no answer on $1 within 4 s" >&2 ;;
  0/*) echo "unexpected status $status on $1: is this Synapse?" >&2 ;;
  *) echo "no answer on $1 (curl ended with $ended)" >&2 ;;
esac
exit 1
