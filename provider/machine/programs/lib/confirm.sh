# A change that could lock the operator out is kept only when the provider has logged in again and said so (confirm.sh next to apply.sh).
# shellcheck shell=sh

wait_confirmed() {
  read -r confirm_seconds <"$(table confirm)" || return 0
  begin 12 confirm "waiting for a new login that confirms the change"
  row confirm "$confirm_seconds"
  uptime_now
  confirm_until=$((NOW + confirm_seconds * 100))
  while [ ! -e "$DIR/confirmed" ]; do
    obey_cancel
    uptime_now
    [ "$NOW" -lt "$confirm_until" ] || fail "no new login confirmed the change within $confirm_seconds s: it would have locked you out"
    sleep 0.2
  done
}
