import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { lockedRequirements } from "../../config-schemas/homeserver/synapse-locks";
import type { ReleaseInputs } from "../../provider/contract/release";
import { downHost, type Host, onHost } from "../../sandbox";
import { prepareImages } from "../../sandbox/containers";
import { type Layer, upHostFrom } from "../../sandbox/layers";
import { call, ok, type Release, sh } from "./host-programs";

/**
 * Hosts that have what every deployment of a committed stack adds first, before anything of Hearth's own is there: packages, the
 * Python environment, container images. A test that claims something about a host without these starts with `upHost`.
 */

const ROOT = resolve(__dirname, "../..");
/** The facts that the golden record was made with. */
const [PYTHON, ARCHITECTURE] = ["3.13", "amd64"];

/** The releases of a committed stack, from its golden record: the unit tier proves that the program still asks for the same. */
function recorded(stack: string): Partial<ReleaseInputs>[] {
  const [record] = parseAllDocuments(
    readFileSync(join(ROOT, "tests/golden/records", `${stack}.yaml`), "utf8"),
  );
  const resources = Object.entries(record?.toJS() as Record<string, { inputs: Partial<ReleaseInputs> }>);
  return resources.filter(([name]) => name.includes(":Release ")).map(([, { inputs }]) => inputs);
}

/** What a release adds to the host and a delete leaves. */
function additionsOf({
  release = "",
  packages = {},
  users = {},
  environments = {},
}: Partial<ReleaseInputs>): Release {
  const built = Object.entries(environments).map(([folder, environment]) => {
    const requirements = lockedRequirements(folder.replace(/^.*\//, ""), PYTHON, ARCHITECTURE) ?? [];
    return [folder, { ...environment, requirements }] as const;
  });
  return { release, packages, users, environments: Object.fromEntries(built) };
}

const additions = (stack: string): Release[] =>
  recorded(stack)
    .filter(({ scope }) => scope === "system")
    .map(additionsOf)
    .filter(({ packages, environments }) => Object.keys({ ...packages, ...environments }).length > 0);

/** A digest of every file below these folders of the checkout. */
function digestOf(...folders: string[]): string {
  const digest = createHash("sha256");
  for (const folder of folders.map((name) => join(ROOT, name))) {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const file of entries.map((entry) => join(entry.parentPath, entry.name)).sort())
      digest.update(`${file.slice(ROOT.length)}\0`).update(readFileSync(file));
  }
  return digest.digest("hex");
}

/** Hearth's own programs install everything, and a delete leaves it: what serves on such a host is not somebody else's. */
async function add(host: Host, releases: readonly Release[]): Promise<void> {
  for (const release of releases) {
    const [made] = ok(await call(host, "apply", release)).of("release");
    ok(await call(host, "delete", { release: release.release ?? "" }, { instance: made?.[0] ?? "" }));
  }
}

const PROGRAMS = ["provider/machine/programs", "provider/transport/programs"];
/** Debian starts them at a boot, and Hearth not before their configuration is there. */
const SERVICES = "nginx.service postgresql.service";

export const NATIVE: Layer = {
  name: "native",
  key: [additions("vps"), digestOf(...PROGRAMS)],
  make: async (host) => {
    await add(host, additions("vps"));
    await sh(host, `systemctl -q disable ${SERVICES}`);
  },
};

/** A new host with the packages and the Python environment of Pulumi.vps.yaml. */
export async function nativeHost(name: string, dnsNames: string[] = []): Promise<Host> {
  await downHost(name);
  const host = await upHostFrom(NATIVE, { name, dnsNames });
  await sh(host, `systemctl -q enable ${SERVICES}`);
  return host;
}

/** Each image with the user namespace of its container: Podman copies an image for each mapping, at its first use. */
function mappings(): string[][] {
  const files = recorded("home").flatMap(({ files = {} }) => Object.entries(files));
  const found = files.flatMap(([file, { content }]) => {
    const image = /^Image=(\S+)$/m.exec(content)?.[1];
    const mapping = /^UserNS=(\S+)$/m.exec(content)?.[1];
    return file.endsWith(".container") && image && mapping ? [`${image} ${mapping}`] : [];
  });
  return [...new Set(found)].sort().map((pair) => pair.split(" "));
}

export const ROOTLESS: Layer = {
  name: "rootless",
  key: [additions("home"), mappings(), digestOf(...PROGRAMS, "stand-ins/images")],
  make: async (host) => {
    await add(host, additions("home"));
    await prepareImages(host, { podman: false });
    for (const [image = "", mapping = ""] of mappings()) {
      const made = `id=$(podman create --pull=never --network=none --userns=${mapping} ${image}) && podman rm "$id"`;
      const { code, stderr } = await onHost(host, [made], { user: "debian" });
      if (code !== 0) throw new Error(`${image}: ${stderr}`);
    }
  },
};

/** A new host with Podman and the images of Pulumi.home.yaml, copied for the containers' users. */
export async function containerHost(name: string, dnsNames: string[] = []): Promise<Host> {
  await downHost(name);
  return upHostFrom(ROOTLESS, { name, dnsNames });
}
