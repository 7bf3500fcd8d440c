import path from "node:path";

/** One of the two servers, before there is anything. */
export interface ServerPlan {
  /** `one` or `two`; also its stack's name is made from it. */
  key: string;
  /** Sandbox host. */
  host: string;
  serverName: string;
  publicHost: string;
  baseUrl: string;
  stack: string;
  /** The person who writes from here. */
  person: { user: string; displayName: string };
}

/** Names and paths of a quickstart. */
export interface Layout {
  name: string;
  /** The checkout. */
  root: string;
  /** Everything the quickstart leaves in the checkout besides the result file. */
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
