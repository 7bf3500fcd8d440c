#!/bin/sh
# Runs a program for a person who waits: request/argv/errand is its command, request/program/ its folder if it travels with the call.
# The packages that it needs (request/errand-packages, one a line) are installed first. What it prints goes to the caller as it comes.
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/state.sh"
. "$DIR/lib/redact.sh"
. "$DIR/lib/pm.sh"
. "$DIR/lib/packages.sh"

WORK=$DIR/work
mkdir -p -- "$WORK" "$REQUEST/program"

# What the package manager's functions expect of a transaction.
run() {
  run_output=$1
  shift
  "$@" >"$run_output" 2>&1 </dev/null
}
obey_cancel() { :; }
fail() {
  printf '%s\n' "$1" >&2
  tail -n 3 -- "${2:-/dev/null}" >&2
  exit 1
}

install_missing() {
  pm_have "$(table errand-packages)" | cut -f 1 >"$WORK/have"
  grep -v -x -F -f "$WORK/have" -- "$(table errand-packages)" >"$WORK/install" || return 0
  printf 'installing packages: %s\n' "$(paste -s -d ' ' "$WORK/install")"
  mkdir -p -m 0700 -- "$STATE"
  if ! pm_lists_fresh; then pm_update; fi
  install_packages || refuse_packages "these packages could not be installed: $(paste -s -d ' ' "$WORK/install")"
}

require_host
install_missing
cd -- "$REQUEST/program"
exec xargs -d '\n' -a "$(table argv/errand)" env --
