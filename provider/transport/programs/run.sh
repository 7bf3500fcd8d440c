#!/bin/sh
# Runs the program of one call between two marks on standard output, with its caller in sight; see PROTOCOL.md.
#   run.sh DIR MARK LEFT SECONDS INTERPRETER PROGRAM
# LEFT: what becomes of the program when its caller is gone (standard input has ended): `ends` or `stays`.
# SECONDS: one that ends with its caller ends by itself after so long: a caller can be gone without a word.
set -u
DIR=$1 MARK=$2 LEFT=$3 LIMIT=$4 INTERPRETER=$5 PROGRAM=$6

# Directories of callers that were killed. A directory's name says which process it belongs to.
sweep() {
  for dead in "${DIR%/*}"/hearth.[0-9]*.*; do
    owner=${dead##*/hearth.}
    if [ -d "$dead" ] && [ ! -d "/proc/${owner%%.*}" ]; then rm -rf -- "$dead"; fi
  done
}

# run_look COMMAND...: ends it when standard input ends. What it has started ends with it, for `timeout` passes the signal on.
run_look() {
  setsid timeout -k 5 "$LIMIT" "$@" 3<&- &
  program=$!
  trap 'kill "$program"' HUP INT TERM
  { cat && kill "$program"; } <&3 3<&- >/dev/null 2>&1 &
  watcher=$!
  wait "$program"
  status=$?
  # A signal to us ends the wait and not yet the program.
  while kill -0 "$program" 2>/dev/null; do wait "$program"; done
  kill "$watcher" 2>/dev/null
  return "$status"
}

exec 3<&0 </dev/null
trap 'rm -rf -- "$DIR"' EXIT
# Nobody may be reading any more; the directory goes all the same. (A program starts with the signal as it was.)
trap : PIPE
sweep
# Of the host's Python settings none may speak on standard output or change what the standard library is.
case $INTERPRETER in
  python3) set -- python3 -B -E -s -S "$DIR/$PROGRAM" "$DIR" ;;
  *) set -- "$INTERPRETER" "$DIR/$PROGRAM" "$DIR" ;;
esac
printf '\n%s\n' "$MARK"
if [ "$LEFT" = ends ]; then
  run_look "$@"
else
  trap 'exit 143' HUP INT TERM
  "$@" 3<&-
fi
status=$?
printf '\n%s %s\n' "$MARK" "$status"
exit "$status"
