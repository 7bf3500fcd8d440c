import type { Mount } from "./container";
import type { Listener } from "./listener";

/** Where the things of a service are. Without a name each is the folder of all of them. */
export interface Paths {
  config(file?: string): string;
  /** A program of the service's own. */
  program(file?: string): string;
  data(name?: string): string;
  /** A secret by its role: a path, or (for programs on a host with containers) `podman:NAME`. */
  secret(role: string): string;
}

/**
 * Where things are: for the service itself, and for other programs on its host. Both are the same where nothing stands between
 * them; what a service reads must name the first.
 */
export interface Layout {
  inside: Paths & {
    /** The program's own interpreter. */
    interpreter: string;
    /** What the service has to listen on, so that others find it on these. */
    listen(listeners: readonly Listener[]): readonly Listener[];
  };
  host: Paths;
  /** Hearth's own records on the host. */
  records: string;
  /** Memory that the service may count with, MiB: its own limit, or all that the host has. */
  memoryMiB: number;
  /** A command that runs a program of the service's once, confined, without network and without rights. */
  once(argv: readonly string[], mounts?: readonly Mount[]): string[];
  /** How a person puts a secret back that is lost, in words. */
  restore(role: string): string;
}
