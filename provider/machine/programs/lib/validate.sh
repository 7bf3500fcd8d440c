# The staged files are shown to their real consumers before anything is swapped.
# shellcheck shell=sh

# in_view NETWORK ARGUMENT...: view.sh in a mount namespace of its own. A user may mount only in a user namespace. Podman's is the
# one in which validators can run containers; the mounts are in one nested in it, for containers that run already share Podman's.
# shellcheck disable=SC2086 # in_view_net is an option or nothing.
in_view() {
  in_view_net=
  if [ "$1" = 1 ]; then in_view_net=--net; fi
  shift
  if [ "$SCOPE" = system ]; then
    set -- unshare --mount --propagation private $in_view_net sh "$DIR/lib/view.sh" "$DIR" "$@"
  elif has_podman; then
    set -- env HEARTH_VIEW=1 podman unshare unshare --mount --propagation private $in_view_net sh "$DIR/lib/view.sh" "$DIR" "$@"
  else
    set -- env HEARTH_VIEW=1 unshare --user --map-root-user --mount --propagation private $in_view_net sh "$DIR/lib/view.sh" "$DIR" "$@"
  fi
  in_view_status=0
  run "$DIR/output" "$@" || in_view_status=$?
  # The mount point is the host's; what was mounted there went with the namespace.
  if [ "$SCOPE" = user ]; then rmdir -- "$XDG_RUNTIME_DIR/hearth-view"; else rmdir -- /run/hearth-view; fi 2>/dev/null || :
  return "$in_view_status"
}

# Refuses a host that cannot show validators the future, before anything is added to it.
check_view() {
  [ -s "$(table validators)" ] || return 0
  in_view 0 - - 0 0 || refuse_apply overlay "$(tail -n 1 -- "$DIR/output")"
}

validate() {
  [ -s "$DIR/changed" ] || return 0
  sort -t "$TAB" -k 2,2 -- "$(table validators)" >"$WORK/validators"
  while IFS=$TAB read -r index name user timeout isolated; do
    begin 8 validate "validating: $name"
    status=0
    in_view "$isolated" "$index" "$user" "$timeout" "$isolated" || status=$?
    case $status in
      0) ;;
      97) refuse_apply overlay "$(tail -n 1 -- "$DIR/output")" ;;
      124 | 137) fail "validation by $name took longer than $timeout s" "$DIR/output" ;;
      *) fail "validation by $name failed (exit status $status)" "$DIR/output" ;;
    esac
  done <"$WORK/validators"
}
