import path from "node:path";

/** One of the two servers, before anything exists. */
export interface ServerPlan {
  /** `one` or `two`; part of the stack's name. */
  key: string;
  /** Sandbox host. */
  host: string;
  serverName: string;
  publicHost: string;
  baseUrl: string;
  stack: string;
  /** The user who writes from this server. */
  person: { user: string; displayName: string };
}

/** Names and paths of a quickstart. */
export interface Layout {
  name: string;
  /** The checkout. */
  root: string;
  /** Everything that the quickstart leaves in the checkout except the result file. */
  directory: string;
  resultFile: string;
  servers: [ServerPlan, ServerPlan];
}

/** The layout of the quickstart called `name` (see {@link parseArguments}). */
export function layoutOf(name: string): Layout {
  const root = path.resolve(__dirname, "../..");
  const server = (key: string, displayName: string): ServerPlan => {
    const serverName = `${key}.${name}.test`;
    const publicHost = `matrix.${serverName}`;
    return {
      ...{ key, serverName, publicHost, baseUrl: `https://${publicHost}` },
      host: `${name}-${key}`,
      stack: `${name}-${key}`,
      person: { user: displayName.toLowerCase(), displayName },
    };
  };
  return {
    ...{ name, root },
    directory: path.join(root, ".hearth", name),
    resultFile: path.join(root, ".hearth", `${name}.json`),
    servers: [server("one", "Alice"), server("two", "Bob")],
  };
}
