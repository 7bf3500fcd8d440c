import { type AcmeConfig, DIRECTORIES } from "../../config-schemas/certificates/schema";
import { columnOf } from "../../hosts/distributions";
import type { Layout } from "../../runtimes/layout";
import { PUBLIC_DIRECTORY } from "../../runtimes/ownership";
import { owned, SYSTEM_PLACES } from "../../runtimes/places";
import type { NativeProgram, ServiceFile, ServiceSpec } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { CHALLENGE_PATH, renderChallenge } from "../proxy/challenge";
import { SITES_FOLDER } from "../proxy/render";
import { ACME_FOLDER, CERTIFICATE_PATHS, CHALLENGE_FOLDER, SERVICE } from "./paths";
import { renderUnit } from "./unit";

export interface AcmePlan {
  config: AcmeConfig;
  /** The public names, which the certificate covers. */
  names: readonly string[];
  /** Those of them whose address Hearth itself keeps in DNS. */
  keptNames: readonly string[];
  /** Certificates of the directory's authority, PEM; undefined: the host's own list. */
  authorities: string | undefined;
  facts: Pick<HostFacts, "distribution" | "release" | "ipv6">;
}

/** The unit that gets and renews the certificate. */
export const UNIT = "hearth-certificates.service";
/** Name of the public fact about the certificate. */
export const FACT = "certificate";
const SETTINGS = "settings.json";
const AUTHORITIES = "authorities.pem";
const CHALLENGE = "acme.conf";
/** Each host has its own time within these hours, so that authorities do not get all requests at once. */
const RANDOM_SECONDS = 6 * 3600;

/** certbot, which gets the certificate from an authority and renews it: a unit that a timer starts twice a day. */
export function acmeSpec(plan: AcmePlan): ServiceSpec {
  return {
    name: SERVICE,
    description: "Renewal of the certificate",
    programs: { native: () => client(plan) },
    files: filesOf(plan),
    schedule: { when: { calendar: "*-*-* 00,12:00:00" }, randomDelaySeconds: RANDOM_SECONDS },
  };
}

function filesOf({ config, names, authorities, facts: { ipv6 = true } }: AcmePlan): ServiceFile[] {
  const { email } = config;
  const settings = (at: Layout) => ({
    ...{ directory: directoryOf(config), names, keyType: config.keyType },
    ...(email === undefined ? {} : { email }),
    ...(authorities === undefined ? {} : { authorities: at.inside.config(AUTHORITIES) }),
  });
  const file = (name: string, text: ServiceFile["text"]): ServiceFile => ({ name, change: "reload", text });
  return [
    file(SETTINGS, (at) => `${JSON.stringify(settings(at), null, 2)}\n`),
    file(CHALLENGE, () => renderChallenge({ ipv6 }, names, CHALLENGE_FOLDER)),
    ...(authorities === undefined ? [] : [file(AUTHORITIES, () => authorities)]),
  ];
}

function directoryOf({ directory }: AcmeConfig): string {
  return Object.entries(DIRECTORIES).find(([word]) => word === directory)?.[1] ?? directory;
}

function client(plan: AcmePlan): NativeProgram {
  const { config, names, keptNames, facts } = plan;
  const { certbot, openssl, python, nginx } = columnOf(facts);
  const packages = [certbot, openssl, python].map((one) => [one.package, "any"]);
  return {
    unit: UNIT,
    packages: Object.fromEntries(packages),
    elsewhere: { [CHALLENGE]: CHALLENGE_PATH },
    directories: {
      [ACME_FOLDER]: PUBLIC_DIRECTORY,
      [CHALLENGE_FOLDER]: PUBLIC_DIRECTORY,
      [`${ACME_FOLDER}/client`]: owned(SYSTEM_PLACES, "0700"),
      [SITES_FOLDER]: PUBLIC_DIRECTORY,
    },
    unitFiles: (at) => ({
      [`${SYSTEM_PLACES.units}/${UNIT}`]: renderUnit({
        ...{ at, settings: at.host.config(SETTINGS), folder: ACME_FOLDER, proxy: nginx.unit },
      }),
    }),
    preflights: ({ host }) => ({
      names: {
        program: host.program("names.sh"),
        arguments: [
          CERTIFICATE_PATHS.acme.certificateFile,
          ...names.filter((name) => !keptNames.includes(name)),
        ],
      },
    }),
    tasks: () => ({
      certificate: {
        observe: ask("observe", ACME_FOLDER),
        apply: ask("issue", ACME_FOLDER, UNIT, nginx.unit),
        want: `${names.join(", ")}: ${config.keyType} from ${directoryOf(config)}`,
      },
    }),
    publishes: () => ({ [FACT]: { argv: ask("publish", ACME_FOLDER) } }),
  };
}

function ask(...words: string[]): string[] {
  return ["/usr/bin/python3", "-B", `${SYSTEM_PLACES.programs(SERVICE)}/certificate.py`, ...words];
}

/** Says on the host how the last renewal went. */
export const RENEWAL: string[] = ask("renewal", ACME_FOLDER);
