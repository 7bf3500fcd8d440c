import * as pulumi from "@pulumi/pulumi";
import { Homeserver } from "../../components/homeserver";
import { Machine } from "../../components/hosts";
import { Postgres } from "../../components/postgres";
import { GivenSecret } from "../../config-schemas/given-secrets";
import { homeserverSchema } from "../../config-schemas/homeserver/schema";
import { hostsSchema } from "../../config-schemas/hosts/schema";
import { postgresSchema } from "../../config-schemas/postgres/schema";
import type { SocketEndpoint } from "../../hosts/link";
import type { ReleaseInputs } from "../../provider/contract/release";
import { type Answer, call, LOGIN } from "../support/host-programs";
import { DEBIAN_13, unwrap } from "../support/program";

/** The login user of a sandbox host. */
export const LOGIN_FACTS = { user: LOGIN, group: LOGIN, uid: 1000, home: `/home/${LOGIN}` };
export const CONTAINERS = `${LOGIN_FACTS.home}/.config/containers/systemd`;

/** Keys of the stack file that are added to the smallest home stack, and the operator's secrets. */
export interface Wanted {
  homeserver?: object;
  postgres?: object;
  smtpPassword?: string;
  captchaPrivateKey?: string;
}

/** The inputs of all releases, and outputs of the homeserver's component. */
export interface Rendered {
  releases: Record<string, ReleaseInputs>;
  homeserver: { socket: SocketEndpoint; access: object };
}

const SERVER = { host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" };

/** Runs the components of the database and the homeserver for a host with rootless containers. */
export async function containerReleases(wanted: Wanted = {}): Promise<Rendered> {
  const facts = { ...DEBIAN_13, login: LOGIN_FACTS };
  const releases: Record<string, ReleaseInputs> = {};
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      if (type.endsWith(":Release")) {
        const release = unwrap(inputs) as ReleaseInputs;
        releases[release.release] = release;
      }
      return { id: name, state: type.endsWith(":Host") ? { facts } : { digest: "d" } };
    },
  });
  const { socket, access: outputs } = makeHomeserver(wanted);
  const access = await new Promise<object>((resolve) => pulumi.output(outputs).apply(resolve));
  await pulumi.runtime.disconnect();
  return { releases, homeserver: { socket, access } };
}

function makeHomeserver({ homeserver, postgres, smtpPassword, captchaPrivateKey }: Wanted): Homeserver {
  const hosts = hostsSchema.parse({
    home: { address: "home", user: LOGIN, become: "sudo", runtime: "quadlet" },
  });
  if (hosts.home === undefined) throw new Error("no host");
  const machine = new Machine("home", { config: hosts.home, projectDirectory: "/nowhere" });
  const database = new Postgres("home-postgres", {
    config: postgresSchema.parse({ host: "home", ...postgres }),
    machine,
  });
  const config = homeserverSchema.parse({ ...SERVER, ...homeserver });
  const { email } = config;
  return new Homeserver("home-homeserver", {
    config,
    machine,
    postgres: database,
    secrets: {
      ...(captchaPrivateKey === undefined ? {} : { captchaKey: new GivenSecret(captchaPrivateKey) }),
      ...(smtpPassword === undefined || email === undefined
        ? {}
        : { mail: { email, password: new GivenSecret(smtpPassword) } }),
    },
    projectDirectory: "/nowhere",
  });
}

type Host = Parameters<typeof call>[0];

/** Applies the releases to a sandbox host as root or as its login user, like the provider, but without the engine. */
export class ContainerReleases {
  private readonly instances = new Map<string, string>();

  constructor(readonly host: Host) {}

  /** The instance of our release with this name on the host; `-` before it exists. */
  instanceOf(name: string): string {
    return this.instances.get(name) ?? "-";
  }

  async apply(
    name: string,
    wanted: Wanted = {},
    edit: (release: ReleaseInputs) => ReleaseInputs = (release) => release,
  ): Promise<Answer> {
    const { releases } = await containerReleases(wanted);
    const release = releases[name];
    if (release === undefined) throw new Error(`there is no release ${name}`);
    const instance = this.instanceOf(name);
    const answer = await call(this.host, "apply", edit(release), { instance, scope: release.scope });
    const [row] = answer.of("release");
    if (row?.[0] !== undefined) this.instances.set(name, row[0]);
    return answer;
  }
}
