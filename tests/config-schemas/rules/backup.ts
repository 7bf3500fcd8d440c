import type { Row } from "./row";

const BACKUP = {
  host: "vps",
  recipient: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
  target: { kind: "path", path: "/mnt/backup" },
};
const REST = {
  ...BACKUP,
  target: { kind: "rest-server", url: "https://backup.example.net/matrix", user: "matrix" },
};

export const BACKUPS: Row[] = [
  {
    rule: "the target of backups needs its secret",
    good: { backup: REST, secrets: { backup: { password: "x" } } },
    bad: { backup: REST },
    says: [
      "hearth:secrets.backup.password: is missing; hearth:backup.target with `kind: rest-server` needs it | run: npm run pulumi -- config set --secret --path 'hearth:secrets.backup.password'",
    ],
  },
  {
    rule: "a secret of backups is for their target",
    good: { backup: REST, secrets: { backup: { password: "x" } } },
    bad: { backup: BACKUP, secrets: { backup: { sshKey: "x" } } },
    says: [
      "hearth:secrets.backup.sshKey: is not for a target with `kind: path` | run: npm run pulumi -- config rm --path 'hearth:secrets.backup.sshKey'",
    ],
  },
  {
    rule: "backups run without containers",
    good: { backup: BACKUP },
    bad: {
      hosts: { vps: { runtime: "quadlet", user: "alice", become: "sudo" } },
      proxy: { kind: "caddy", listen: { address: "::", port: 8443 } },
      backup: BACKUP,
    },
    says: [
      "hearth:backup: needs a host with `runtime: native`; Hearth does not back up containers yet | remove it, and copy the login user's folders with a program of your own while the containers are stopped",
    ],
  },
  {
    rule: "backups keep at least one",
    good: { backup: { ...BACKUP, keep: { daily: 0, weekly: 0, monthly: 1 } } },
    bad: { backup: { ...BACKUP, keep: { daily: 0, weekly: 0, monthly: 0 } } },
    says: ["hearth:backup.keep: keeps no backup | write 1 or more for daily, weekly or monthly"],
  },
];
