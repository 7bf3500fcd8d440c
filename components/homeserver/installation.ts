import { join } from "node:path";
import { type HomeserverConfig, installSource } from "../../config-schemas/homeserver/schema";
import { lockedRequirements, makeLock } from "../../config-schemas/homeserver/synapse-locks";
import { UserError } from "../../config-schemas/load";
import { columnOf } from "../../hosts/distributions";
import type { AptRepository, PythonEnvironment } from "../../provider/sdk";
import { archiveKey } from "../../runtimes/native/archive-key";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { HostFacts } from "../hosts/facts";
import { UNIT } from "./names";
import { FILES, VENDOR_FOLDER } from "./place";
import { renderUnit, renderUnitOverride, type UnitPlan } from "./unit";

/** How one installation of packages is laid out on its host. */
export interface Installation {
  /** Folder with Synapse's interpreter and its tools. */
  programs: string;
  /** Where the package wants files of ours, by their names. */
  elsewhere: Record<string, string>;
  packages: Record<string, string>;
  repositories: Record<string, AptRepository>;
  environments: Record<string, PythonEnvironment>;
  /** The unit, or what is added to the package's own. */
  unitFile: string;
  renderUnit(plan: UnitPlan): string;
}

/** Distribution packages that both ways need. */
function commonPackages(facts: HostFacts): Record<string, string> {
  const { curl, python } = columnOf(facts);
  return { [curl.package]: "any", [python.postgres]: "any" };
}

/**
 * The installation that the stack asks for, on a host with these facts.
 * @param vendorKey see {@link readVendorKey}; absent: from the Python index
 */
export function installationOf(config: HomeserverConfig, facts: HostFacts, vendorKey?: string): Installation {
  return vendorKey === undefined ? fromPythonIndex(config, facts) : fromVendor(config, facts, vendorKey);
}

/**
 * A locked release in an environment of its own, one for each version: going back is as quick as going forward. The
 * interpreter is named with its version, so an upgraded distribution gets another environment.
 */
function fromPythonIndex({ version }: HomeserverConfig, facts: HostFacts): Installation {
  const environment = `/opt/hearth/synapse/${version}`;
  const { python } = columnOf(facts);
  return {
    programs: `${environment}/bin`,
    elsewhere: {},
    packages: { ...commonPackages(facts), [python.environments]: "any" },
    repositories: {},
    environments: {
      [environment]: {
        python: python.interpreter(facts.python),
        requirements: lockedRequirements(version, facts.python, facts.architecture) ?? [],
        systemSitePackages: true,
      },
    },
    unitFile: `${SYSTEM_PLACES.units}/${UNIT}`,
    renderUnit,
  };
}

const VENDOR_FINGERPRINT = "AAF9AE843A7584B5A3E4CD2BCF45A512DE2DA058";
const VENDOR_KEY_FILE = "keys/matrix-org-archive-keyring.gpg";

/** The vendor's package with its own configuration; ours lies beside it in conf.d and wins. */
function fromVendor({ version }: HomeserverConfig, facts: HostFacts, keyBase64: string): Installation {
  // After `report_stats.yaml` and `server_name.yaml`, which the package writes: the last one wins.
  const override = `${VENDOR_FOLDER}/conf.d/zz-hearth`;
  return {
    programs: "/opt/venvs/matrix-synapse/bin",
    elsewhere: { [FILES.main]: `${override}.yaml`, "secrets/email.yaml": `${override}-email.yaml` },
    packages: { ...commonPackages(facts), "matrix-synapse-py3": `${version}+${facts.codename}1` },
    repositories: {
      "matrix-org": {
        uris: "https://packages.matrix.org/debian/",
        suites: facts.codename,
        components: "main",
        keyBase64,
        fingerprint: VENDOR_FINGERPRINT,
      },
    },
    environments: {},
    unitFile: `${SYSTEM_PLACES.units}/${UNIT}.d/50-hearth.conf`,
    renderUnit: renderUnitOverride,
  };
}

/** Why this host cannot have the installation that the stack asks for, with the way out; none: it can. */
export function installationFault(config: HomeserverConfig, facts: HostFacts): string | undefined {
  if (installSource(config) === "pypi") return lockFault(config, facts);
  if (facts.architecture === "amd64") return undefined;
  return `hearth:homeserver.install is apt, but the host is ${facts.architecture} and the vendor packages Synapse for amd64 only. Write \`install: pypi\`.`;
}

function lockFault({ version }: HomeserverConfig, { python, architecture }: HostFacts): string | undefined {
  if (lockedRequirements(version, python, architecture) !== undefined) return undefined;
  return `hearth:homeserver.version is ${version}, and the host has Python ${python} on ${architecture}: there is no lock for that pair. There are locks for Debian 12 and 13 (Python 3.11 and 3.13) on amd64 and arm64; if the release is meant, run \`${makeLock(version)}\` and commit what it writes.`;
}

/**
 * The key of the vendor's repository, base64. It is the operator's to fetch, the host to check against its fingerprint.
 * @throws UserError when it is not there
 */
export function readVendorKey(projectDirectory: string): string {
  const file = join(projectDirectory, VENDOR_KEY_FILE);
  const key = archiveKey(projectDirectory, VENDOR_KEY_FILE);
  if (key !== undefined) return key;
  throw new UserError(
    `hearth:homeserver.install is apt, but the key of the vendor's repository is missing: ${file}. Download https://packages.matrix.org/debian/matrix-org-archive-keyring.gpg to there (the host checks that its fingerprint is ${VENDOR_FINGERPRINT}), or write \`install: pypi\`.`,
  );
}
