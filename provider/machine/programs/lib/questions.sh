# What the program asks of a host beyond the facts of every host.
# shellcheck shell=sh

# known_key ID VERSION_ID: what the program calls this distribution: with its release, or without where it has none.
known_key() {
  if cut -f 1 -- "$(table distributions)" | grep -q -x -F -e "$1"; then printf '%s\n' "$1"; else printf '%s:%s\n' "$1" "$2"; fi
}

# require_known KEY PRETTY_NAME: refuses a distribution that the program has no column for, or that cannot run what is wanted.
require_known() {
  [ -s "$(table distributions)" ] || return 0
  known=$(awk -F'\t' -v key="$1" '$1 == key { print $3; exit }' "$(table distributions)")
  case $known in
    -) ;;
    '') refuse distribution "this host runs $2; Hearth supports $(known_titles)" ;;
    *) refuse distribution "this host runs $2: $known" ;;
  esac
}

known_titles() {
  awk -F'\t' '{ title[NR] = $2 } END { for (i = 1; i <= NR; i++) printf "%s%s", title[i], (i == NR - 1) ? " and " : (i < NR) ? ", " : "" }' "$(table distributions)"
}

# report_packages KEY: `package NAME VERSION` for those asked for; what the package manager does not know yet is as the program
# knows the distribution KEY. `installed NAME` for those that are.
report_packages() {
  { cat -- "$(table packages)" && echo podman; } | sort -u >"$WORK/asked"
  pm_versions "$WORK/asked" >"$WORK/versions"
  awk -F'\t' -v OFS='\t' -v key="$1" '
    T == 1 { if ($1 == key) version[$2] = $3; next }
    T == 2 { version[$1] = $2; next }
    $1 in version { print "package", $1, version[$1] }
  ' T=1 "$(table offers)" T=2 "$WORK/versions" T=3 "$WORK/asked" | tee -- "$WORK/packages"
  pm_have "$(table installed)" | sed "s/^/installed$TAB/"
}

# missing_packages KEY: those that containers need on the distribution KEY and that are not installed, with commas between them.
missing_packages() {
  awk -F'\t' -v key="$1" '$1 == key { print $2 }' "$(table containers)" >"$WORK/containers"
  pm_have "$WORK/containers" | cut -f 1 >"$WORK/containers.installed"
  grep -v -x -F -f "$WORK/containers.installed" -- "$WORK/containers" | paste -s -d ,
}

# report_programs: `program NAME LINE` for each program of the request, which gets the answers about packages in a file.
report_programs() {
  while IFS=$TAB read -r index name; do
    program_status=0
    xargs -d '\n' -a "$(table "argv/program.$index")" timeout -k 1 20 sh "$REQUEST/program/$index" "$WORK/packages" \
      >"$WORK/program" 2>"$WORK/program.stderr" </dev/null || program_status=$?
    [ "$program_status" = 0 ] || refuse question "the look at $name failed: $(tail -n 1 -- "$WORK/program.stderr" | one_line)"
    row program "$name" "$(head -c 4096 -- "$WORK/program" | awk 'NR == 1 { gsub(/[[:cntrl:]]/, " "); print }')"
  done <"$(table programs)"
}
