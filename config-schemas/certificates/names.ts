import type { FullStack } from "../stack";

/** The public names of a stack, which its certificate must cover: the homeserver's, then the bare domain if it is served here. */
export function publicNames({
  homeserver,
  delegation,
}: Pick<FullStack, "homeserver" | "delegation">): string[] {
  const { serverName, publicHost } = homeserver;
  return delegation.serve === "here" ? [...new Set([publicHost, serverName])] : [publicHost];
}

/** The names whose address Hearth keeps in DNS itself. */
export function keptNames({ dns }: Pick<FullStack, "dns">): string[] {
  return [...(dns?.dynamic?.names ?? []), ...Object.values(dns?.records ?? {}).map(({ name }) => name)];
}
