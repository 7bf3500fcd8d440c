# Waiting until the services answer.
# shellcheck shell=sh

NOT_NOTED='what was seen could not be written down (is the disk full?)'

# wait_healthy REQUEST_DIRECTORY: 0 when every probe is ok and every unit that shall run runs; else 1 with HEALTH_TEXT (and
# HEALTH_UNIT when a unit is to blame). A unit that failed, or that keeps restarting, ends the wait at once.
wait_healthy() {
  REQUEST=$1
  HEALTH_TEXT=$NOT_NOTED HEALTH_UNIT=''
  # The caller asks for the status, so the shell does not stop at an error: what cannot be noted down must not count as healthy.
  awk -F'\t' '$3 == "running" { print $1 }' "$(table units)" >"$WORK/list.running" || return 1
  scan_units "$WORK/list.running" "$WORK/running.first"
  cp -- "$(table health)" "$WORK/unhealthy" || return 1
  health_restarts=3
  until_healthy
}

until_healthy() {
  uptime_now
  health_since=$NOW
  while :; do
    check_units || return 1
    check_probes || return 1
    if [ -z "$HEALTH_TEXT" ]; then return 0; fi
    if [ -z "${UNDOING-}" ]; then obey_cancel; fi
    sleep 0.2
  done
}

# stay_healthy: after the first good answer, which was at ANSWERED. One answer proves little of a unit that was just started: all units must be up, and
# not have been restarted, $STEADY seconds after the last start, and half of that after the answer; then the probes are asked again.
# Nothing was started: nothing to wait for.
stay_healthy() {
  uptime_now
  ANSWERED=$NOW
  [ -s "$WORK/started" ] || return 0
  cp -- "$WORK/running.now" "$WORK/running.first" || return 1
  health_restarts=1
  health_since=$NOW
  health_until=$((NOW + STEADY * 50))
  health_started=$(($(tail -n 1 -- "$WORK/started") + STEADY * 100))
  if [ "$health_started" -gt "$health_until" ]; then health_until=$health_started; fi
  if [ "$NOW" -ge "$health_until" ]; then return 0; fi
  row step 12 "$STEPS" "watching whether what was started stays up"
  while [ "$NOW" -lt "$health_until" ]; do
    sleep 0.5
    obey_cancel
    check_units || { HEALTH_TEXT="$HEALTH_TEXT, soon after it had answered"; return 1; }
    uptime_now
  done
  cp -- "$(table health)" "$WORK/unhealthy" || return 1
  until_healthy
}

# check_units: HEALTH_TEXT while one is still on its way; 1 when one is lost.
check_units() {
  HEALTH_TEXT=$NOT_NOTED
  scan_units "$WORK/list.running" "$WORK/running.now" || return 1
  [ "$(wc -l <"$WORK/running.now")" = "$(wc -l <"$WORK/list.running")" ] || return 1
  HEALTH_TEXT=''
  while IFS=$TAB read -r name _ active sub restarts _ type result; do
    HEALTH_UNIT=$name
    first=$(awk -F'\t' -v name="$name" '$1 == name { print $5 }' "$WORK/running.first")
    uptime_now
    again=0
    if [ "$restarts" != - ] && [ "$first" != - ]; then again=$((restarts - first)); fi
    if [ "$health_restarts" = 1 ] && [ "$again" -gt 0 ]; then
      HEALTH_TEXT="$name failed and was restarted by systemd"
      return 1
    elif [ "$active" = active ] || { [ "$type" = oneshot ] && [ "$active" = inactive ] && [ "$result" = success ]; }; then
      continue
    elif [ "$active" = failed ] || [ "$active" = inactive ]; then
      HEALTH_TEXT="$name is $active ($result)"
      return 1
    elif [ "$again" -ge "$health_restarts" ]; then
      HEALTH_TEXT="$name keeps failing: systemd restarted it $again times"
      return 1
    elif [ "$((NOW - health_since))" -gt 9000 ]; then
      HEALTH_TEXT="$name is still $active ($sub) after 90 s"
      return 1
    fi
    HEALTH_TEXT="$name is $active ($sub)"
  done <"$WORK/running.now"
  HEALTH_UNIT=''
}

# check_probes: asks those that were not ok yet, at the same time; 1 when one's time is over.
check_probes() {
  while IFS=$TAB read -r index _ kind _ url status; do
    probe "$index" "$kind" "$url" "$status" 5 >"$WORK/health.$index" 2>/dev/null &
  done <"$WORK/unhealthy"
  wait
  uptime_now
  : >"$WORK/unhealthy.next" || return 1
  while IFS=$TAB read -r index name kind timeout url status; do
    seen=$(cat -- "$WORK/health.$index")
    [ "$seen" != ok ] || continue
    HEALTH_TEXT="$name: $seen"
    if [ "$((NOW - health_since))" -ge "$((timeout * 100))" ]; then
      HEALTH_TEXT="$name: $seen (after $timeout s)"
      return 1
    fi
    row "$index" "$name" "$kind" "$timeout" "$url" "$status" >>"$WORK/unhealthy.next" || return 1
  done <"$WORK/unhealthy"
  mv -f -- "$WORK/unhealthy.next" "$WORK/unhealthy" || return 1
}
