import { LOGIN } from "./host-programs";

/** Synapse's socket on a host, natively and in containers of the login user. */
export const NATIVE_SOCKET = "/run/hearth-synapse/synapse.sock";
export const HOME_SOCKET = `/home/${LOGIN}/.local/share/hearth/homeserver/socket/synapse.sock`;

/** The header of a proxy: a unix socket has no address, and Synapse accepts no login without one. */
export const FROM_HERE = ["--header", "X-Forwarded-For: 127.0.0.1", "--header", "X-Forwarded-Proto: https"];
const HEADERS = "-H X-Forwarded-For:127.0.0.1 -H X-Forwarded-Proto:https";

/** Arguments for curl on a host, before a path: as users with access to the socket's folder. */
export const AT_SYNAPSE = `${HEADERS} --unix-socket ${NATIVE_SOCKET} http://localhost`;
export const AT_HOME_SYNAPSE = `${HEADERS} --unix-socket ${HOME_SOCKET} http://localhost`;
