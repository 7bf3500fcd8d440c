# Repositories and packages of the host's package manager. Additions only: nothing here is undone.
# shellcheck shell=sh

apply_repositories() {
  while IFS=$TAB read -r name uris suites components fingerprint; do
    [ "$(pm_repository_state "$name" "$uris" "$suites" "$components")" != ready ] || continue
    begin 3 packages "adding $PM repository $name"
    pm_add_repository "$name" "$uris" "$suites" "$components" "$fingerprint"
    row did "added $PM repository $name"
  done <"$(table repositories)"
}

apply_packages() {
  wanted_packages >"$WORK/install"
  [ -s "$WORK/install" ] || return 0
  begin 3 packages "installing packages: $(paste -s -d ' ' "$WORK/install")"
  pm_hold_services
  if ! pm_lists_fresh; then pm_update; fi
  install_packages || {
    pm_mend
    install_packages || refuse_packages "$(pm_words_install) failed: $(paste -s -d ' ' "$WORK/install")"
  }
  pm_free_services
  cp -- "$WORK/packages" "$WORK/packages.before"
  scan_packages "$WORK/list.packages" "$WORK/packages"
  awk -F'\t' 'T == 1 { before[$1] = $2; next } before[$1] != $2 { print }' T=1 "$WORK/packages.before" T=2 "$WORK/packages" >"$WORK/installed"
  # Whose units these are is known after a failure, too.
  awk -F'\t' 'T == 1 { if ($2 == "-") new[$1] = 1; next } $1 in new { print $1 }' T=1 "$WORK/packages.before" T=2 "$WORK/installed" >>"$STATE/installed"
  while IFS=$TAB read -r name version; do
    row did "installed package $name $version"
    changed "package:$name"
  done <"$WORK/installed"
}

# told_once: the lines of standard input that this transaction has not said before.
told_once() {
  touch -- "$WORK/told"
  grep -v -x -F -f "$WORK/told" | tee -a "$WORK/told.new" || :
  cat -- "$WORK/told.new" >>"$WORK/told" 2>/dev/null || :
}

# refuse_packages TEXT: fails with the package manager's words, and with the archives that could not be asked or did not send a package.
refuse_packages() {
  pm_list_failures <"$DIR/output" >"$WORK/install.failed"
  unfetched=$(cut -f 1 -s -- "$WORK/lists.failed" 2>/dev/null | paste -s -d ' ')
  if [ -n "$unfetched" ]; then
    fail "$1; $PM could not fetch the lists of $unfetched: $(head -n 1 -- "$WORK/lists.failed" | cut -f 2)" "$DIR/output"
  elif [ -s "$WORK/install.failed" ]; then
    fail "$1; $(head -n 1 -- "$WORK/install.failed" | tr '\t' ' ' | sed 's/ /: /')" "$DIR/output"
  fi
  fail "$1" "$DIR/output"
}

# install_packages: also what came along is remembered, whatever comes of it: those units are nobody else's.
install_packages() {
  set --
  while IFS= read -r item; do set -- "$@" "$item"; done <"$WORK/install"
  install_status=0
  pm_install "$@" || install_status=1
  pm_new_packages "$DIR/output" >>"$STATE/installed"
  return "$install_status"
}
