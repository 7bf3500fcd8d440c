# Tasks: what only a program can look at or change.
# shellcheck shell=sh

# A state that begins like this says that it can never be as wanted, and what to do.
REFUSED='refused: '

# Before anything is touched. A task whose program is not here yet says nothing.
check_tasks() {
  while IFS=$TAB read -r index name user _; do
    state=$(task_state "$index" "$user")
    case $state in "$REFUSED"*) refuse_apply task "$name: ${state#"$REFUSED"}" ;; esac
  done <"$(table tasks)"
}

apply_tasks() {
  while IFS=$TAB read -r index name user want; do
    state=$(task_state "$index" "$user")
    [ "$state" != "$want" ] || continue
    begin 11 tasks "$name: from '$state' to '$want'"
    run "$DIR/output" run_argv "$user" 600 "$REQUEST/argv/task.$index.apply" || fail "task $name failed" "$DIR/output"
    state=$(task_state "$index" "$user")
    [ "$state" = "$want" ] || fail "task $name ran, but its state is '$state' and not '$want'" "$DIR/output"
    changed "task:$name"
    row did "task $name: '$want'"
  done <"$(table tasks)"
}
