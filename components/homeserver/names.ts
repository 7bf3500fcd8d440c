/** Names of the homeserver's paths and units that other components use. */

/** Name of the socket in its folder, on the host and in containers. */
export const SOCKET_NAME = "synapse.sock";
/** Folder of the socket. It belongs to Synapse, and the proxy's group may use it; others cannot reach or replace the socket. */
export const SOCKET_FOLDER = "/run/hearth-synapse";
/** Path of the socket: on the host of a native Synapse, and in all containers that mount its folder. */
export const SOCKET = `${SOCKET_FOLDER}/${SOCKET_NAME}`;

/** System user and group that a native Synapse runs as. */
export const USER = "matrix-synapse";
export const UNIT = "matrix-synapse.service";
/** Name of the container and of its unit, for a Synapse in a container. */
export const CONTAINER = "hearth-synapse";

/**
 * What is kept on the homeserver (accounts, Spaces, rooms) is named without a host, so that it stays when the server moves to
 * another one. These are the aliases for states of earlier versions, which used the host's name.
 */
export function formerNames(host: { name: string }, name: string): { name: string }[] {
  return [{ name: `${host.name}-${name}` }];
}
