#!/bin/sh
# What only root can give a user who runs containers without root. Never takes anything away.
#   rootless.sh linger|subids observe|apply USER
# linger: the user's units start at boot, without a login. subids: subordinate ids, for the users inside the user's containers.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LEAST=65536

# ids FILE USER: how many that file gives the user.
ids() { awk -F: -v user="$2" -v uid="$(id -u -- "$2")" '$1 == user || $1 == uid { sum += $3 } END { print sum + 0 }' "$1" 2>/dev/null || echo 0; }

# first_free FILE: the first id above all ranges in it; useradd begins at 100000 too.
first_free() { awk -F: 'BEGIN { free = 100000 } $2 + $3 > free { free = $2 + $3 } END { print free }' "$1"; }

has_subids() { [ "$(ids /etc/subuid "$1")" -ge "$LEAST" ] && [ "$(ids /etc/subgid "$1")" -ge "$LEAST" ]; }

add_subids() {
  # usermod does not make these files.
  touch /etc/subuid /etc/subgid
  if [ "$(ids /etc/subuid "$1")" -lt "$LEAST" ]; then
    first=$(first_free /etc/subuid)
    usermod --add-subuids "$first-$((first + LEAST - 1))" -- "$1"
  fi
  if [ "$(ids /etc/subgid "$1")" -lt "$LEAST" ]; then
    first=$(first_free /etc/subgid)
    usermod --add-subgids "$first-$((first + LEAST - 1))" -- "$1"
  fi
  # Podman keeps the ids that it has seen first as long as its helper runs. The file belongs to the user, who may write any number
  # into it: so it is read, and the process is ended, with the user's rights and not with root's.
  helper=/run/user/$(id -u -- "$1")/libpod/tmp/pause.pid
  # shellcheck disable=SC2016  # the inner shell's own variables
  runuser -u "$1" -- sh -c 'if [ -f "$1" ]; then read -r pid <"$1"; kill -- "$pid"; fi' sh "$helper" 2>/dev/null || :
}

lingers() { [ -e "/var/lib/systemd/linger/$1" ]; }

case $1.$2 in
  linger.observe) if lingers "$3"; then echo on; else echo off; fi ;;
  linger.apply) loginctl enable-linger "$3" ;;
  subids.observe) if has_subids "$3"; then echo enough; else echo missing; fi ;;
  subids.apply) add_subids "$3" ;;
  *)
    echo "usage: rootless.sh linger|subids observe|apply USER" >&2
    exit 2
    ;;
esac
