import { type Document, parseDocument, YAMLMap } from "yaml";
import { SandboxError } from "../errors";

/** The host, names and keys for the server of a committed stack file in the sandbox. */
export interface Placement {
  serverName: string;
  publicHost: string;
  /** Address of the sandbox host; of several, by their names in the stack file. */
  address: string | Readonly<Record<string, string>>;
  sshConfigFile: string;
  /** Login user. Default: root. */
  user?: string;
  /** For a stack whose proxy ends TLS. */
  certificateFile?: string;
  privateKeyFile?: string;
  /** For a stack with a tunnel: the control server that stands in for the service. */
  controlUrl?: string;
  /** The sandbox's network, CIDR: private addresses, which Synapse otherwise refuses to federate with. */
  network: string;
  /** The other homeserver of the sandbox, if there is one; it replaces every server on the allowlist. */
  partner?: { serverName: string; url: string };
  /** Maps the names of the sandbox's servers to their addresses. */
  resolve: Record<string, string>;
  caFile: string;
  /** Ordinary accounts by local part, with display names; they replace the file's ordinary accounts. */
  people: Record<string, string>;
  /** False switches off the checks from outside: they need the partner, so a new pair is first deployed without them. */
  verify: boolean;
}

/**
 * The committed stack file `text` with only addresses, names, keys and users replaced; the rest, also comments, stays
 * as written. Throws if the file is not a stack file with exactly these hosts.
 */
export function placeStack(text: string, placement: Placement): string {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) throw new SandboxError(`the stack file is not YAML: ${fault.message}`);
  for (const [host, address] of addressesOf(document, placement.address)) {
    set(document, "hosts", [host, "address"], address);
    set(document, "hosts", [host, "user"], placement.user ?? "root");
    set(document, "hosts", [host, "sshConfigFile"], placement.sshConfigFile);
  }
  set(document, "homeserver", ["serverName"], placement.serverName);
  set(document, "homeserver", ["publicHost"], placement.publicHost);
  set(document, "homeserver", ["federation", "allowedRanges"], [placement.network]);
  if (document.hasIn(["config", "hearth:homeserver", "federation", "allowlist"])) {
    const partners = placement.partner ? [placement.partner.serverName] : [];
    set(document, "homeserver", ["federation", "allowlist"], partners);
  } else {
    // The default asks for the keys of others at a server that no sandbox reaches.
    set(document, "homeserver", ["federation", "trustedKeyServers"], []);
  }
  for (const key of ["certificateFile", "privateKeyFile"] as const) {
    if (placement[key] !== undefined) set(document, "certificates", [key], placement[key]);
  }
  if (document.hasIn(["config", "hearth:dns", "dynamic"]))
    set(document, "dns", ["dynamic", "names"], [placement.publicHost]);
  if (placement.controlUrl !== undefined) set(document, "tunnel", ["controlUrl"], placement.controlUrl);
  placePeople(document, placement.people);
  set(document, "verification", ["enabled"], placement.verify);
  if (placement.partner) set(document, "verification", ["partner"], placement.partner);
  else document.deleteIn(["config", "hearth:verification", "partner"]);
  set(document, "verification", ["resolve"], placement.resolve);
  set(document, "verification", ["caFile"], placement.caFile);
  return document.toString({ lineWidth: 0 });
}

function set(document: Document, section: string, path: string[], value: unknown): void {
  const full = ["config", `hearth:${section}`, ...path];
  // An unchanged value keeps its node, with its comments and its style.
  const present: unknown = document.toJS({ maxAliasCount: 0 });
  if (JSON.stringify(valueAt(present, full)) !== JSON.stringify(value))
    document.setIn(full, document.createNode(value));
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** The address of each host of the file. */
function addressesOf(document: Document, address: Placement["address"]): [string, string][] {
  const hosts = document.getIn(["config", "hearth:hosts"]);
  const names = hosts instanceof YAMLMap ? hosts.items.map((item) => String(item.key)) : [];
  const [only = ""] = names;
  const addresses = typeof address === "string" ? { [only]: address } : address;
  const wanted = Object.keys(addresses);
  if (
    only === "" ||
    names.length !== wanted.length ||
    names.some((name) => !Object.hasOwn(addresses, name))
  ) {
    throw new SandboxError(
      `the stack file has ${names.length} hosts under config → hearth:hosts (${names.join(", ")}); there are addresses for ${wanted.length} (${wanted.join(", ")})`,
    );
  }
  return Object.entries(addresses);
}

function placePeople(document: Document, people: Record<string, string>): void {
  const accounts = document.getIn(["config", "hearth:accounts"]);
  if (accounts instanceof YAMLMap) {
    for (const item of [...accounts.items]) {
      const name = String(item.key);
      const admin = document.getIn(["config", "hearth:accounts", name, "admin"]) === true;
      if (!admin && people[name] === undefined) accounts.delete(item.key);
    }
  }
  for (const [name, displayName] of Object.entries(people)) {
    set(document, "accounts", [name], { displayName });
  }
}
