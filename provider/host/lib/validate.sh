# The staged files are shown to their real consumers before anything is swapped.
# shellcheck shell=sh

# Refuses a host that cannot show validators the future, before anything is added to it.
check_view() {
  [ -s "$(table validators)" ] || return 0
  run "$DIR/output" unshare --mount --propagation private sh "$DIR/lib/view.sh" "$DIR" - - 0 0 || refuse_apply overlay "$(tail -n 1 -- "$DIR/output")"
}

validate() {
  [ -s "$DIR/changed" ] || return 0
  sort -t "$TAB" -k 2,2 -- "$(table validators)" >"$WORK/validators"
  while IFS=$TAB read -r index name user timeout isolated; do
    begin 8 validate "validating: $name"
    set --
    if [ "$isolated" = 1 ]; then set -- --net; fi
    status=0
    run "$DIR/output" unshare --mount --propagation private "$@" sh "$DIR/lib/view.sh" "$DIR" "$index" "$user" "$timeout" "$isolated" || status=$?
    case $status in
      0) ;;
      97) refuse_apply overlay "$(tail -n 1 -- "$DIR/output")" ;;
      124 | 137) fail "validation by $name took longer than $timeout s" "$DIR/output" ;;
      *) fail "validation by $name failed (exit status $status)" "$DIR/output" ;;
    esac
  done <"$WORK/validators"
}
