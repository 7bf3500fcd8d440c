#!/bin/sh
# Run in a sandbox host as the user of the scope: `cut.sh SCOPE PROGRAM REQUEST AT MODE`. Runs a prepared request as the provider would; at the
# call with number AT (0: none) all of Hearth's processes end. MODE `power`: then a boot follows, without an operator. `kill`: systemd cleans up.
# Prints the facts that the test checks; tests/support/cuts/cuts.ts reads them.
set -eu
scope=$1 program=$2 request=$3 at=$4 mode=$5
# The real program: its wrapper counts the calls of its children, not this one.
ctl=systemctl run=/usr/bin/systemd-run state=/var/lib/hearth target=multi-user.target
if [ "$scope" = user ]; then
  ctl='systemctl --user' run='/usr/bin/systemd-run --user' state=$HOME/.local/state/hearth target=default.target
fi

# Waits until no job is left and no process of Hearth runs.
settled() { until ! $ctl -q is-active hearth-recover.service && [ -z "$($ctl list-jobs --no-legend)" ] && [ -z "$($ctl list-units --no-legend --plain --state=active,activating,deactivating 'hearth-apply-*' 'hearth-undo-*')" ]; do sleep 0.05; done; }
generation() { sed -n 's/^generation\t//p' "$state/releases/cuts/meta" 2>/dev/null || echo 0; }
instance() { sed -n 's/^instance\t//p' "$state/releases/cuts/meta" 2>/dev/null | grep . || echo -; }

# Like after a loss of power: services ended, another boot, unit files read again, and all enabled units started at once.
boot() {
  for unit in cuts.service cuts-a.service cuts-b.service cuts-tick.timer; do
    $ctl kill -s KILL "$unit" 2>/dev/null || :
    $ctl stop "$unit" 2>/dev/null || :
  done
  cat /proc/sys/kernel/random/uuid >/run/cuts-boot-id
  $ctl daemon-reload
  $ctl reset-failed
  $ctl start "$target" timers.target
}

rm -rf /run/cuts/run /run/cuts/cut /run/cuts/calls /run/cuts/kill
cp -a "/run/cuts/requests/$request" /run/cuts/run
id=cut-$(cat /proc/sys/kernel/random/uuid)
sed -i "s/^apply\t.*/apply\t$id/; s/^instance\t.*/instance\t$(instance)/" /run/cuts/run/request/meta
printf '%s\n' "$state/journal" >/run/cuts/journal-path
: >/run/cuts/calls
[ "$mode" != kill ] || : >/run/cuts/kill
before=$(generation)
[ "$at" = 0 ] || printf '%s\n' "$at" >/run/cuts/armed
$run --quiet --collect --pipe --wait --unit="hearth-$id" sh "/run/cuts/run/$program.sh" /run/cuts/run >/run/cuts/answer 2>&1 </dev/null || :
/usr/bin/rm -f /run/cuts/armed
printf 'before\t%s\n' "$before"
if [ -e /run/cuts/cut ]; then
  printf 'cut\t%s\t%s\t%s\n' "$(cat /run/cuts/cut)" "$(generation)" "$(tail -n 1 /run/cuts/calls)"
  [ "$mode" = kill ] || boot
fi
settled
printf 'calls\t%s\n' "$(wc -l </run/cuts/calls)"
printf 'answer\t%s\n' "$(tail -n 1 /run/cuts/answer | tr '\t' ' ')"
