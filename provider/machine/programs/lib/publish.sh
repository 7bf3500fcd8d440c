# Public facts: what programs of the release print about this host, for other resources.
# shellcheck shell=sh

# published_fact INDEX USER: the fact, one line; `-` when its program says nothing or fails.
published_fact() { run_argv "$2" 20 "$REQUEST/argv/publish.$1" 2>/dev/null | one_line; }

# publish_facts: the facts after the change, for the answer. Others build on them: without one, the change has failed.
publish_facts() {
  : >"$DIR/published"
  while IFS=$TAB read -r index name user; do
    run_argv "$user" 20 "$REQUEST/argv/publish.$index" >"$WORK/fact" 2>"$WORK/words" || fail "the program that publishes $name failed" "$WORK/words"
    fact=$(one_line <"$WORK/fact")
    [ "$fact" != - ] || fail "the program that publishes $name printed nothing" "$WORK/words"
    row published "$name" "$fact" >>"$DIR/published"
  done <"$(table publishes)"
}
