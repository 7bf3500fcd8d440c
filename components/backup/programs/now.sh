#!/bin/sh
# Starts a job of backups now and follows it to its end: `now.sh UNIT`. Its words go to standard output; its status is the job's.
set -u
unit=$1
case $(systemctl show --property=ActiveState --value -- "$unit") in
  activating | active)
    echo "$unit runs already"
    ;;
esac
since=$(date +%s)
journalctl --unit="$unit" --since="@$since" --follow --output=cat --no-pager --quiet --identifier=python3 &
journal=$!
systemctl start -- "$unit" 2>/dev/null
status=$?
# What it said last may still be on its way into the journal.
journalctl --sync 2>/dev/null || sleep 1
sleep 1
kill "$journal" 2>/dev/null
exit "$status"
