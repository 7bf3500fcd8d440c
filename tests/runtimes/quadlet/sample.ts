import type { Container } from "../../../runtimes/container";

/** A container with every option, and with values that could leave their line. */
export const EVERYTHING: Container = {
  name: "hearth-probe",
  description: `A 100% $HOME "probe" 'of' \\ quoting`,
  image: "registry.example.org:5000/probe/it:1.2-rc_3",
  uid: 991,
  gid: 992,
  entrypoint: "/bin/echo",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd and shells read this, not JavaScript.
  command: ["plain", "a b", "100% %h %%", `"'\\`, "$HOME ${HOME} $$", "ends with \\", "; # | > * ~"],
  environment: { PLAIN: "/run/secrets/x", WEIRD: `a "b" 'c' \\n %h $HOME ; #x` },
  mounts: [
    { source: "/home/alice/.config/hearth", target: "/etc/hearth", readOnly: true },
    { source: "/home/alice/data", target: "/data", readOnly: false },
    { source: "hearth-socket.volume", target: "/run/socket", readOnly: true },
  ],
  secrets: { "file-name": "hearth-secret" },
  network: "hearth",
  publish: [
    { address: "127.0.0.1", port: 8008, containerPort: 80 },
    { address: "::1", port: 8009, containerPort: 80 },
  ],
  tmpfs: ["/cache"],
  health: { command: ["/bin/test", "-e", '/tmp/100% "$x"'], intervalSeconds: 30, timeoutSeconds: 5 },
  memoryMiB: 64,
  pids: 100,
  startSeconds: 60,
  stopSeconds: 5,
  reload: ["/bin/sh", "-c", "kill -HUP 1"],
  after: ["hearth-other.service"],
  kind: "service",
};

/** A container with the required options only. */
export const JOB: Container = {
  name: "hearth-job",
  description: "A job",
  image: `registry.example.org/probe@sha256:${"0".repeat(64)}`,
  uid: 991,
  gid: 991,
  environment: {},
  mounts: [],
  secrets: {},
  network: "none",
  publish: [],
  tmpfs: [],
  memoryMiB: 128,
  pids: 32,
  startSeconds: 3600,
  stopSeconds: 10,
  after: ["hearth-synapse.service"],
  kind: "job",
};
