#!/bin/sh
# Keeps the tunnel alive from the end that connects, until it is stopped.
# Usage: watch.sh INTERFACE PUBLIC_KEY ADDRESS ENDPOINT; ADDRESS: the other end's in the tunnel; ENDPOINT: its name and port outside.
#
# WireGuard itself notices that the other end lost its session (a reboot) only when it has sent data for 15 s without an answer; its
# keepalives are no data, so it could take two minutes. And it looks the other end's name up once only.
set -u

interface=$1
key=$2
address=$3
endpoint=$4

# Seconds between two questions.
PAUSE=2
# Looks the name up again after so many questions without an answer: about a minute.
PATIENCE=20

unanswered=0
while :; do
  if ping -c 1 -W 1 -n -q "$address" >/dev/null 2>&1; then
    unanswered=0
  else
    unanswered=$((unanswered + 1))
    if [ $((unanswered % PATIENCE)) -eq 0 ]; then
      WG_ENDPOINT_RESOLUTION_RETRIES=1 wg set "$interface" peer "$key" endpoint "$endpoint" || :
    fi
  fi
  sleep "$PAUSE"
done
