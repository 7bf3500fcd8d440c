#!/bin/sh
# Does somebody else decide what may reach this host? Of two firewalls each would close what the other opens.
# Usage: other_rulers.sh OUR_TABLE [ROOT]; ROOT: where the host's files are (tests). Prints a line: what, a tab, the fix; ends with
# status 1 when there is one. Changes nothing.
set -eu
export LC_ALL=C
ours=$1
root=${2-}

# tell WHAT FIX: the one answer. Whose firewall it is decides; its rules in the kernel are no second reason.
tell() {
  # shellcheck disable=SC2016 # As a stack file has it.
  printf '%s\t%s, or write `enabled: false` for hearth:firewall and open the ports of the services there\n' "$1" "$2"
  exit 1
}

# closing_tables: `family name` of each table, other than ours, with a chain of incoming packets that ends with a drop.
closing_tables() {
  awk -v ours="$ours" '
    /^table / { table = $2 " " $3 }
    /^\tchain / { input = 0 }
    /^\t\ttype filter hook input / { input = 1; if (/policy drop;/) found[table] = 1 }
    input && /^\t\t(counter )?(drop|reject( with .*)?|xt target "REJECT")( comment .*)?$/ { found[table] = 1 }
    END { delete found[ours]; for (table in found) print table }
  '
}

# closes TOOL: do its rules of incoming packets end with a drop?
closes() { "$1" -S INPUT 2>/dev/null | grep -q -E -x -e '-P INPUT DROP|-A INPUT -j (DROP|REJECT.*)'; }

if grep -q -s -i -x 'ENABLED=yes' "$root/etc/ufw/ufw.conf"; then
  tell "ufw is the firewall of this host (ufw status shows its rules)" "disable it: ufw disable"
fi
if systemctl is-active --quiet firewalld.service || systemctl is-enabled --quiet firewalld.service 2>/dev/null; then
  tell "firewalld is the firewall of this host (firewall-cmd --list-all shows its rules)" \
    "disable it: systemctl disable --now firewalld"
fi
if command -v nft >/dev/null; then
  table=$(nft -s list ruleset | closing_tables | sort | head -n 1)
  if [ -n "$table" ]; then
    tell "the table $table of nftables drops incoming packets on this host" \
      "remove it (nft delete table $table) and what loads it: /etc/nftables.conf, /etc/iptables or a program"
  fi
fi
for tool in iptables ip6tables; do
  # Without nft on the host, iptables says what the kernel has; the older kind of rules nft does not show.
  if command -v nft >/dev/null; then tool=$tool-legacy; fi
  command -v "$tool" >/dev/null || continue
  case $tool in
    iptables-legacy) grep -q -s -x filter /proc/net/ip_tables_names || continue ;;
    ip6tables-legacy) grep -q -s -x filter /proc/net/ip6_tables_names || continue ;;
  esac
  if closes "$tool"; then
    tell "iptables drops incoming packets on this host ($tool -S INPUT shows its rules)" \
      "let them pass ($tool -P INPUT ACCEPT, $tool -F INPUT) and remove what loads them, e.g. netfilter-persistent"
  fi
done
