"""Keeps names at Dynu at this machine's public address: looks, changes what differs, says so in a line each, ends.

Usage: dynamic.py --api URL --key-file FILE [--ipv4 URL] [--ipv6 URL] NAME...
The URLs answer with the address that asks them. A name that fails does not keep the others; status 1 then.
"""

import argparse
import ipaddress
import re
import sys
import urllib.request

from dynu import Api, Fault, fetch

# Record type, field of the API, switch of a domain, class of address.
KINDS = {
    "ipv4": ("A", "ipv4Address", ipaddress.IPv4Address),
    "ipv6": ("AAAA", "ipv6Address", ipaddress.IPv6Address),
}
NEW_TTL = 120


def public_address(kind, url):
    """The address that the provider sees us come from."""
    status, text = fetch(urllib.request.Request(url, headers={"User-Agent": "hearth"}))
    if status != 200:
        raise Fault(f"{url} answers {status} instead of an address")
    found = re.search(r"[0-9A-Fa-f:.]*[0-9A-Fa-f]", text.decode("ascii", "replace").rpartition(": ")[2])
    try:
        address = KINDS[kind][2](found.group() if found else "")
    except ValueError:
        raise Fault(f"{url} answers without an address of this kind") from None
    # Python counts groups, and the private addresses that IPv6 had at first, as global.
    if not address.is_global or address.is_multicast or getattr(address, "is_site_local", False):
        raise Fault(f"{url} sees {address}, which is no public address: nothing was changed")
    return str(address)


def same(a, b):
    """Whether two texts are one address, however they are written."""
    try:
        return ipaddress.ip_address(a) == ipaddress.ip_address(b)
    except ValueError:
        return False


def keep_domain(api, identifier, kind, address):
    """The address of a whole domain, which is a field of it. The address before, or None when it was right."""
    field = KINDS[kind][1]
    domain = api.domain(identifier)
    before = domain.get(field) or "none"
    if same(before, address) and domain.get(kind) is not False:
        return None
    api.update_domain(identifier, domain, **{field: address, kind: True})
    return before


def keep_record(api, identifier, node, kind, address):
    """The address of a name in a domain, which is a record. The address before, or None when it was right."""
    record_type, field, _ = KINDS[kind]
    mine = [
        record
        for record in api.records(identifier)
        if record.get("nodeName") == node and record.get("recordType") == record_type
    ]
    if len(mine) > 1:
        raise Fault(f"there are {len(mine)} {record_type} records: remove all but one at Dynu")
    record = mine[0] if mine else None
    before = record.get(field, "none") if record else "none"
    if record and same(before, address) and record.get("state") is not False:
        return None
    fields = {"nodeName": node, "recordType": record_type, "state": True, field: address}
    fields["ttl"] = record.get("ttl", NEW_TTL) if record else NEW_TTL
    fields["group"] = record.get("group", "") if record else ""
    api.write_record(identifier, record, **fields)
    return before


def keep(api, name, kind, address):
    """One line about what became of a name, or None when there was nothing to do."""
    identifier, node = api.root(name)
    before = keep_record(api, identifier, node, kind, address) if node else keep_domain(api, identifier, kind, address)
    return None if before is None else f"{name} {KINDS[kind][0]} {address} (was {before})"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", required=True)
    parser.add_argument("--key-file", required=True)
    parser.add_argument("--ipv4")
    parser.add_argument("--ipv6")
    parser.add_argument("names", nargs="+")
    return parser.parse_args()


def api_of(options):
    with open(options.key_file, encoding="utf-8") as file:
        return Api(options.api, file.read().strip())


def main():
    options = arguments()
    try:
        api = api_of(options)
    except Fault as fault:
        print(fault, flush=True)
        return 1
    said, failed = [], []
    for kind in KINDS:
        url = getattr(options, kind)
        if url is None:
            continue
        try:
            address = public_address(kind, url)
        except Fault as fault:
            failed.append(str(fault))
            continue
        for name in options.names:
            try:
                line = keep(api, name, kind, address)
                said += [line] if line else []
            except Fault as fault:
                failed.append(f"{name} {KINDS[kind][0]}: {fault}")
    print("; ".join(failed + said) or "nothing to change", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
