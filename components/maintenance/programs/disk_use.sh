#!/bin/sh
# One line on how much disk the media and the database take: `disk_use.sh before|after LOG MEDIA DATABASE`.
# On the host, as the login user: the job itself sees no database. Never fails: the job is what matters.
set -u
when=$1 log=$2 media=$3 database=$4

kib() {
  # Files come and go while it counts; what du complains about then does not matter.
  du -sk -- "$1" 2>/dev/null | cut -f 1
}

media_kib=$(kib "$media")
database_kib=$(kib "$database")
line="disk use $when: media $((${media_kib:-0} / 1024)) MiB, database $((${database_kib:-0} / 1024)) MiB"
printf '%s\n' "$line"
# The folder is the job's as well, in a container that could put a link in the log's place.
printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$line" | dd of="$log" oflag=append,nofollow,nonblock conv=notrunc status=none
exit 0
