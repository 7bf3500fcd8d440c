import { homeserverImage, homeserverMemoryMiB } from "../../config-schemas/homeserver/schema";
import { type Mount, NETWORK } from "../../runtimes/container";
import type { JobHost } from "../../runtimes/job";
import type { Layout } from "../../runtimes/layout";
import type { ContainerProgram } from "../../runtimes/service";
import { CONTAINER, SOCKET, SOCKET_FOLDER } from "./names";
import { configPaths } from "./place";
import type { HomeserverPlan } from "./plan";

/** Folders in the container, mounted from the login user's home directory. */
const INSIDE = { config: "/etc/hearth/homeserver", programs: "/programs", data: "/data" };
/** Folder of incoming request bodies: /tmp is in the container's memory. */
const SPOOL = "spool";
/** Port inside the container if it is published. */
const PORT = 8008;

function synapseImage(image: string) {
  return { image, uid: 991, gid: 991, interpreter: "/usr/local/bin/python" };
}

/** The mount with which another container reaches Synapse; read-only, so that the container cannot replace the socket. */
export function socketMount({ host }: Pick<Layout, "host">): Mount {
  return { source: host.data("socket"), target: SOCKET_FOLDER, readOnly: true };
}

/** Where Hearth's jobs run: in Synapse's image, which has Python. */
export function jobHost(image: string, at: Layout): JobHost {
  return { ...synapseImage(image), socket: SOCKET, socketMount: socketMount(at) };
}

/** Synapse in a container. Others reach it over its socket, and on the host's loopback if the stack says so. */
export function officialImage({ config, database }: HomeserverPlan): ContainerProgram {
  const { interpreter, ...image } = synapseImage(homeserverImage(config));
  return {
    ...image,
    ...{ container: CONTAINER, interpreter, inside: INSIDE },
    // Not the image's entry point, which generates its own configuration and keys.
    entrypoint: interpreter,
    command: (at) => [
      ...["-B", at.inside.program("listen.py"), SOCKET, "synapse.app.homeserver"],
      ...configPaths(config, at).map((file) => `--config-path=${file}`),
    ],
    // Like the image's entry point: with jemalloc Synapse returns memory to the system.
    environment: { LD_PRELOAD: "libjemalloc.so.2", TMPDIR: `${INSIDE.data}/${SPOOL}` },
    data: { "": "0750", media: "0750", log: "0750", [SPOOL]: "0700", socket: "0700" },
    mounts: (at) => [
      { source: at.host.program(), target: INSIDE.programs, readOnly: true },
      { ...socketMount(at), readOnly: false },
      { source: at.host.config(), target: INSIDE.config, readOnly: true },
      { source: at.host.data(), target: INSIDE.data, readOnly: false },
      ...(database.socket === undefined ? [] : [database.socket]),
    ],
    network: NETWORK,
    bringsNetwork: true,
    port: PORT,
    health: {
      command: [
        ...["curl", "--fail", "--silent", "--show-error", "--unix-socket", SOCKET],
        "http://localhost/health",
      ],
      intervalSeconds: 60,
      timeoutSeconds: 10,
    },
    memoryMiB: homeserverMemoryMiB(config),
    pids: 512,
    // A new version of Synapse may have to change the database first.
    startSeconds: 600,
    stopSeconds: 30,
    // Synapse reads its log configuration again.
    reload: ["/bin/sh", "-c", "kill -HUP 1"],
    after: [database.unit],
  };
}
