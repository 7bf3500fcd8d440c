import { homeserverMemoryMiB } from "../homeserver/schema";
import { rangeContains } from "../language/addresses";
import type { Path } from "../language/fault";
import { type AnyRule, at, rule } from "../language/rule";
import { postgresMemoryMiB } from "../postgres/schema";
import type { FullStack } from "../stack";

type Placed = Pick<FullStack, "hosts" | "homeserver" | "postgres">;
type Section = "homeserver" | "postgres";

/** The least memory, in MiB, with which a service starts and answers. */
const LEAST_MEMORY = { homeserver: 256, postgres: 128 } as const;

function inContainers(stack: Placed, section: Section): boolean {
  return stack.hosts[stack[section].host]?.runtime === "quadlet";
}

/** Keys of a section that are in the stack file. */
function present<S extends Section>(
  stack: Placed,
  section: S,
  keys: readonly (keyof FullStack[S] & string)[],
): Path[] {
  return keys.filter((key) => stack[section][key] !== undefined).map((key): Path => [section, key]);
}

/** Rules about services in containers and in packages. */
export const containerRules: readonly AnyRule[] = [
  rule({
    name: "settings of containers need containers",
    needs: ["hosts", "homeserver", "postgres"],
    when: (stack) => [
      ...(inContainers(stack, "homeserver") ? [] : present(stack, "homeserver", ["image", "memory"])),
      ...(inContainers(stack, "postgres") ? [] : present(stack, "postgres", ["image", "memory"])),
    ],
    message: "is for containers, but the host has `runtime: native`: packages under systemd",
    fix: "remove it, or write `runtime: quadlet` for the host",
  }),
  rule({
    name: "settings of packages need packages",
    needs: ["hosts", "homeserver", "postgres"],
    when: (stack) => (inContainers(stack, "homeserver") ? present(stack, "homeserver", ["install"]) : []),
    message: "is for packages, but the host has `runtime: quadlet`: containers",
    fix: "remove it; `version` selects the image, and `image` can name another one",
  }),
  rule({
    name: "in containers every role has a password",
    needs: ["hosts", "homeserver", "postgres"],
    when: (stack) =>
      at(
        inContainers(stack, "postgres") && stack.postgres.authentication === "peer",
        "postgres",
        "authentication",
      ),
    message:
      "is peer, but all rootless containers of a host run as one user of the host, so Synapse could log in as the superuser",
    fix: "remove it; Hearth creates the password on the host, and nobody needs to know it",
  }),
  rule({
    name: "a container is published on an IPv4 address",
    needs: ["hosts", "homeserver", "postgres"],
    when: (stack) =>
      at(
        inContainers(stack, "homeserver") &&
          stack.homeserver.listener?.bindAddresses.some((address) =>
            rangeContains("127.0.0.0/8", address),
          ) === false,
        "homeserver",
        "listener",
        "bindAddresses",
      ),
    message: "contains no IPv4 loopback address, but the containers' network uses IPv4 only",
    fix: 'write ["127.0.0.1"]',
  }),
  rule({
    name: "image and version of Synapse agree",
    needs: ["homeserver"],
    when: ({ homeserver: { image, version } }) => {
      const [, tagged] = /:v?(\d+\.\d+\.\d+[a-z0-9]*)[^/]*$/.exec(image?.replace(/@.*$/, "") ?? "") ?? [];
      return at(tagged !== undefined && tagged !== version, "homeserver", "image");
    },
    message: ({ homeserver: { image, version } }) =>
      `is ${image}, but \`version\` is ${version}, the release that the configuration is checked for`,
    fix: "change one of them; without `image` the version selects the image",
  }),
  rule({
    name: "a container has enough memory to start",
    needs: ["homeserver", "postgres"],
    when: ({ homeserver, postgres }) => [
      ...at(homeserverMemoryMiB(homeserver) < LEAST_MEMORY.homeserver, "homeserver", "memory"),
      ...at(postgresMemoryMiB(postgres) < LEAST_MEMORY.postgres, "postgres", "memory"),
    ],
    message: (stack, [section]) => `is ${stack[section as Section].memory}, too little to start`,
    fix: (_stack, [section]) => `write at least \`memory: ${LEAST_MEMORY[section as Section]}M\``,
  }),
];
