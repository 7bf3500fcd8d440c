import * as dns from "node:dns";
import * as net from "node:net";
import { type Finding, fail, notChecked, pass } from "./finding";
import type { Resolve } from "./network";

/** Looks a name up as other servers do: in DNS, not in this machine's own hosts file. */
export async function checkName(name: string, resolve: Resolve): Promise<Finding> {
  if (resolve[name] !== undefined) {
    return notChecked(`the stack's resolve setting gives ${name} the address ${resolve[name]}`);
  }
  const resolver = new dns.promises.Resolver({ timeout: 2000, tries: 2 });
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const errors = found.flatMap((one) => (one.status === "rejected" ? [String(one.reason.code)] : []));
  return judgeName(
    name,
    found.flatMap((one) => (one.status === "fulfilled" ? one.value : [])),
    errors,
  );
}

/** `errors`: resolver codes of the look-ups that failed; `ENODATA` and `ENOTFOUND` mean that there is no record. */
export function judgeName(name: string, addresses: string[], errors: string[]): Finding {
  const record = `make an A (and AAAA) record for ${name} with the public address of the proxy's host`;
  if (addresses.length === 0) {
    const broken = errors.find((code) => code !== "ENODATA" && code !== "ENOTFOUND");
    if (broken !== undefined) {
      return notChecked(
        `the resolver did not answer (${broken})`,
        "run again from a machine with working DNS",
      );
    }
    return fail(`${name} has no address in DNS`, record);
  }
  const unreachable = addresses.filter((address) =>
    privateRanges().check(address, net.isIPv6(address) ? "ipv6" : "ipv4"),
  );
  if (unreachable.length > 0) {
    return fail(
      `${name} points to ${unreachable.join(", ")}, which nobody on the internet can reach`,
      record,
    );
  }
  return pass(addresses.join(", "));
}

function privateRanges(): net.BlockList {
  const list = new net.BlockList();
  for (const [address, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
  ] as const) {
    list.addSubnet(address, prefix, "ipv4");
  }
  for (const [address, prefix] of [
    ["::1", 128],
    ["fc00::", 7],
    ["fe80::", 10],
  ] as const) {
    list.addSubnet(address, prefix, "ipv6");
  }
  return list;
}
