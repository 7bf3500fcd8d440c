# Files that the host fills with secrets (`fills`: path, placeholder, path of the secret). A filled file counts as its text with
# placeholders while it is what was written for that text with these secrets, and as `-` otherwise: neither its content nor a digest
# of it leaves the host.
# shellcheck shell=sh

# secret_text PATH: a secret as this change leaves it; a given one is put in place later than files are staged.
secret_text() {
  text_index=$(awk -F'\t' -v path="$1" '$2 == path && $6 == "given" { print $1 }' "$(table secrets)")
  if [ -n "$text_index" ] && [ -f "$REQUEST/given/$text_index" ]; then
    cat -- "$REQUEST/given/$text_index"
  elif [ -f "$1" ] && guard "$1"; then
    print_file "$1"
  fi
}

# fill_secrets PATH: a digest of the secrets that fill it.
fill_secrets() {
  awk -F'\t' -v path="$1" '$1 == path { print $3 }' "$(table fills)" | sort -u >"$WORK/fill.secrets"
  fill_sum=$(while IFS= read -r secret; do secret_text "$secret" | sha256sum; done <"$WORK/fill.secrets" | sha256sum)
  printf '%s\n' "${fill_sum%% *}"
}

# fill_mark PATH: the same, or `-` while a given secret has not the value yet that it is to have.
fill_mark() {
  awk -F'\t' -v path="$1" '
    T == 1 { if ($1 == path) fills[$3] = 1; next }
    T == 2 { mark[$1] = $5; next }
    $2 in fills && $6 == "given" && mark[$2] != $7 { found = 1 }
    END { exit !found }
  ' T=1 "$(table fills)" T=2 "$WORK/secrets" T=3 "$(table secrets)" && printf -- '-\n' && return 0
  fill_secrets "$1"
}

# known_fills: path, digest of the text, of the filled file and of the secrets, as this change or the last one wrote it.
known_fills() {
  if [ -f "$DIR/fills" ]; then cat -- "$DIR/fills"; fi
  if [ -f "$OWN/manifest" ]; then awk -F'\t' -v OFS='\t' '$1 == "filled" { print $2, $3, $4, $5 }' "$OWN/manifest"; fi
}

# resolve_filled SCAN: filled files in it count as their text, or as `-`. Their paths: SCAN.filled.
resolve_filled() {
  known_fills >"$1.fills"
  cut -f 1 -- "$(table fills)" "$1.fills" | sort -u >"$1.filled"
  [ -s "$1.filled" ] || return 0
  cut -f 1 -- "$(table fills)" | sort -u | while IFS= read -r path; do row "$path" "$(fill_mark "$path")"; done >"$1.marks"
  awk -F'\t' -v OFS='\t' '
    T == "filled" { filled[$0] = 1; next }
    T == "marks" { mark[$1] = $2; next }
    T == "files" { wanted[$2] = 1; next }
    T == "known" { if (!(($1, $3) in text)) { text[$1, $3] = $2; with[$1, $3] = $4 } next }
    $1 in filled && $2 == "f" {
      same = ($1 in mark) ? with[$1, $7] == mark[$1] : !($1 in wanted)
      $7 = (($1, $7) in text && same) ? text[$1, $7] : "-"
    }
    { print }
  ' T=filled "$1.filled" T=marks "$1.marks" T=files "$(table files)" T=known "$1.fills" T=scan "$1" >"$1.resolved"
  mv -- "$1.resolved" "$1"
}

is_filled() { cut -f 1 -- "$(table fills)" | grep -q -x -F -e "$1"; }

# fill_file INDEX PATH MODE OWNER GROUP SUM: stages it. Secrets go through a pipe: into no file but this one, and no argument.
fill_file() {
  make_private "$DIR/stage/file.$1" "$3" "$4" "$5"
  awk -F'\t' -v OFS='\t' -v path="$2" '$1 == path { print $2, $3 }' "$(table fills)" >"$WORK/fill"
  {
    while IFS=$TAB read -r placeholder secret; do
      printf '%s\t' "$placeholder"
      secret_text "$secret"
      printf '\n'
    done <"$WORK/fill"
    printf '\001\n'
    cat -- "$REQUEST/content/$1"
  } | awk '
    !text && $0 == "\001" { text = 1; next }
    !text && $0 == "" { next }
    !text {
      at = index($0, "\t")
      name = substr($0, 1, at - 1)
      value = substr($0, at + 1)
      if (name !~ /^@[A-Z][A-Z0-9_]*@$/ || value !~ /^[ -~]+$/ || value ~ /["\047\\]/) { failed = 1; exit }
      secret[name] = value
      next
    }
    {
      done = ""
      while (match($0, /@[A-Z][A-Z0-9_]*@/)) {
        name = substr($0, RSTART, RLENGTH)
        # The last @ of a word that is no placeholder may begin one.
        used = (name in secret) ? RLENGTH : RLENGTH - 1
        done = done substr($0, 1, RSTART - 1) ((name in secret) ? secret[name] : substr(name, 1, used))
        $0 = substr($0, RSTART + used)
      }
      print done $0
    }
    END { exit failed }
  ' >"$DIR/stage/file.$1" || fail "$2 cannot be filled: one of its secrets ($(cut -f 2 -- "$WORK/fill" | paste -s -d ' ')) is missing, or has a quote, a backslash, a line break or a character outside ASCII"
  fill_sum=$(sha256sum <"$DIR/stage/file.$1")
  row "$2" "$6" "${fill_sum%% *}" "$(fill_secrets "$2")" >>"$DIR/fills"
}
