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

/** The packages, paths and unit of one kind of installation. */
export interface Installation {
  /** Folder with Synapse's interpreter and its tools. */
  programs: string;
  /** Paths that the package requires for our files, by file name. */
  elsewhere: Record<string, string>;
  packages: Record<string, string>;
  repositories: Record<string, AptRepository>;
  environments: Record<string, PythonEnvironment>;
  /** Path of the unit, or of the drop-in for the package's unit. */
  unitFile: string;
  renderUnit(plan: UnitPlan): string;
}

/** Packages of the distribution that both kinds of installation need. */
function commonPackages(facts: HostFacts): Record<string, string> {
  const { curl, python } = columnOf(facts);
  return { [curl.package]: "any", [python.postgres]: "any" };
}

/**
 * The installation that the stack asks for, on a host with these facts.
 * @param vendorKey see {@link readVendorKey}; absent: install from the Python index
 */
export function installationOf(config: HomeserverConfig, facts: HostFacts, vendorKey?: string): Installation {
  return vendorKey === undefined ? fromPythonIndex(config, facts) : fromVendor(config, facts, vendorKey);
}

/**
 * A locked version in a separate Python environment for each version, so a downgrade is as fast as an upgrade. The
 * interpreter's name includes its version, so an upgraded distribution gets another environment.
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

/** The vendor's package with its configuration. Ours is next to it in conf.d and takes precedence. */
function fromVendor({ version }: HomeserverConfig, facts: HostFacts, keyBase64: string): Installation {
  // Its name sorts after `report_stats.yaml` and `server_name.yaml`, which the package writes: the last file takes precedence.
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

/** Why this host cannot have the installation that the stack asks for, with the fix; undefined: it can. */
export function installationFault(config: HomeserverConfig, facts: HostFacts): string | undefined {
  if (installSource(config) === "pypi") return lockFault(config, facts);
  if (facts.architecture === "amd64") return undefined;
  return `hearth:homeserver.install is apt, but the host is ${facts.architecture} and the vendor packages Synapse for amd64 only\n  fix: write \`install: pypi\``;
}

function lockFault({ version }: HomeserverConfig, { python, architecture }: HostFacts): string | undefined {
  if (lockedRequirements(version, python, architecture) !== undefined) return undefined;
  return `hearth:homeserver.version is ${version}, and the host has Python ${python} on ${architecture}: there is no lock for this combination. Locks exist for Python 3.11 to 3.14 on amd64 and arm64\n  fix: write another version, or run \`${makeLock(version)}\` and commit the files that it writes`;
}

/**
 * The key of the vendor's repository, base64. The operator downloads it; the host checks its fingerprint.
 * @throws UserError if it is missing
 */
export function readVendorKey(projectDirectory: string): string {
  const file = join(projectDirectory, VENDOR_KEY_FILE);
  const key = archiveKey(projectDirectory, VENDOR_KEY_FILE);
  if (key !== undefined) return key;
  throw new UserError(
    `hearth:homeserver.install is apt, but the key of the vendor's repository is missing: ${file}\n  fix: download https://packages.matrix.org/debian/matrix-org-archive-keyring.gpg to this path (the host checks that its fingerprint is ${VENDOR_FINGERPRINT}), or write \`install: pypi\``,
  );
}
