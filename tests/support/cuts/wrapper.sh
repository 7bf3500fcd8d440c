#!/bin/sh
# Wraps a program that changes something, in /usr/local/sbin, for tests. While /run/cuts/armed exists it records each such call
# of a transaction, and at the call whose number is in that file it ends all of Hearth's processes at once.
me=${0##*/}
real=/usr/bin/$me
[ -e /run/cuts/armed ] || exec "$real" "$@"

# point WORDS: one possible cut.
point() {
  read -r at </run/cuts/armed
  state=- journal=$(/usr/bin/cat /run/cuts/journal-path)
  if [ -f "$journal" ]; then
    while read -r key value; do if [ "$key" = state ]; then state=$value; fi; done <"$journal"
  fi
  printf '%s\t%s\n' "$state" "$*" >>/run/cuts/calls
  [ "$(/usr/bin/wc -l </run/cuts/calls)" = "$at" ] || return 0
  printf '%s\n' "$state" >/run/cuts/cut
  # Some processes end the parents of others, so those end first, and this one with them.
  for group in $(/usr/bin/find /sys/fs/cgroup -type d \( -name 'hearth-apply-*' -o -name 'hearth-cut-*' \) 2>/dev/null); do
    echo 1 >"$group/cgroup.kill"
  done
  exec /usr/bin/sleep 600
}

# half DIRECTORY...: removes every second file below, like a cut in the middle of `rm -r`.
half() {
  for tree; do
    case $tree in -*) continue ;; esac
    if [ ! -d "$tree" ] || [ -L "$tree" ]; then continue; fi
    /usr/bin/find "$tree" ! -type d | /usr/bin/awk 'NR % 2' | /usr/bin/xargs -r -d '\n' /usr/bin/rm -f --
    point "half of rm $tree"
  done
}

case $me in
  systemd-run)
    # After a power cut no process can react.
    if [ ! -e /run/cuts/kill ]; then
      for word; do
        case $word in OnFailure=* | ExecStopPost=*) word=TimeoutStopSec=150 ;; esac
        set -- "$@" "$word"
        shift
      done
    fi
    ;;
  systemctl)
    for word; do case $word in show | is-* | list-*) exec "$real" "$@" ;; esac; done
    ;;
  cat | awk | head)
    # The shell has already truncated the file.
    case $(/usr/bin/readlink "/proc/$$/fd/1") in
      /run/* | */work/* | */log | *' (deleted)' | /dev/* | [!/]*) exec "$real" "$@" ;;
      *) set -- "$@" ;;
    esac
    point "$me >$(/usr/bin/readlink "/proc/$$/fd/1")"
    exec "$real" "$@"
    ;;
esac
# No other run reads files in a transaction's `work`.
outside=
for word; do case $word in /*/work/*) ;; /*) outside=1 ;; esac; done
[ -n "$outside" ] || case $* in */work/*) exec "$real" "$@" ;; esac
point "$me $*"
if [ "$me" = rm ]; then
  case $1 in -r*) half "$@" ;; esac
fi
exec "$real" "$@"
