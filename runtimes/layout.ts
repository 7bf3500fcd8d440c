import type { Mount } from "./container";
import type { Listener } from "./listener";

/** Paths of a service. Without an argument, each function returns the folder. */
export interface Paths {
  config(file?: string): string;
  /** A program that belongs to the service. */
  program(file?: string): string;
  data(name?: string): string;
  /** A secret by its role: a path, or `podman:NAME` for programs on a host with containers. */
  secret(role: string): string;
}

/**
 * Paths as the service sees them, and as other programs on its host see them. They differ for a container. Files that the
 * service reads must contain its own paths (`inside`).
 */
export interface Layout {
  inside: Paths & {
    /** Path of the program's own interpreter. */
    interpreter: string;
    /** The addresses and ports that the service must listen on, so that others reach it at `listeners`. */
    listen(listeners: readonly Listener[]): readonly Listener[];
  };
  host: Paths;
  /** Folder of Hearth's own records on the host. */
  records: string;
  /** Memory that the service may use, MiB: its own limit, or all memory of the host. */
  memoryMiB: number;
  /** A command that runs a program of the service once: confined, without network and without privileges. */
  once(argv: readonly string[], mounts?: readonly Mount[]): string[];
  /** Instruction for a person who must restore a lost secret. */
  restore(role: string): string;
}
