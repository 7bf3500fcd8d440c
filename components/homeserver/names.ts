/** Names of the homeserver's things that others have to know. */

/** Name of the socket in its folder, on the host and in containers. */
export const SOCKET_NAME = "synapse.sock";
/** Folder of the socket: Synapse's own, and open to the group of the proxy; nobody else can reach or replace what is in it. */
export const SOCKET_FOLDER = "/run/hearth-synapse";
/** Path of the socket: of a native Synapse, and in its container and in those that mount its folder. */
export const SOCKET = `${SOCKET_FOLDER}/${SOCKET_NAME}`;

/** System user and group that a native Synapse runs as. */
export const USER = "matrix-synapse";
export const UNIT = "matrix-synapse.service";
/** Container of a Synapse in an image; its unit is called so too. */
export const CONTAINER = "hearth-synapse";
