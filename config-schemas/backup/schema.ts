import { z } from "zod";
import { days, hostName, PORT, port, size } from "../language/common";
import { calendar } from "../maintenance/schema";

const HOST = "[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?";
const FOLDER = "[A-Za-z0-9._-]+";

const folder = z
  .string()
  .regex(
    /^(?:\/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/,
    "an absolute path of letters, digits and . _ -, without / at its end, e.g. /mnt/backup",
  )
  .meta({ title: "path" });

const word = (what: string, example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, `${what}: letters, digits and . _ -, e.g. ${example}`)
    .meta({ title: "name" });

const pathTarget = z.strictObject({
  kind: z.literal("path").meta({
    description:
      "`path`: a folder of the host, for a mounted disk of another machine. Hearth does not create the folder, so an unmounted disk is noticed.",
  }),
  path: folder.meta({ description: "The folder.", examples: ["/mnt/backup"] }),
});

const sftpTarget = z.strictObject({
  kind: z
    .literal("sftp")
    .meta({ description: "`sftp`: another server's ssh. Its key is the secret `backup.sshKey`." }),
  server: z
    .string()
    .regex(new RegExp(`^${HOST}$`), "a host name or an address, e.g. backup.example.net")
    .meta({ title: "host name", description: "Its name or address.", examples: ["backup.example.net"] }),
  port: port.default(22).meta({ description: "Port of its sshd." }),
  user: word("a user's name", "backup").meta({
    description: "User who logs in there.",
    examples: ["backup"],
  }),
  path: folder.meta({
    description: "Folder there, which must exist.",
    examples: ["/srv/backup/matrix"],
  }),
  hostKey: z
    .string()
    .regex(
      /^(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}$/,
      "a public key of the server's sshd, its first two words, e.g. ssh-ed25519 AAAAC3Nz…",
    )
    .meta({
      title: "public key",
      description: "Key of its sshd: kind and key of a line that `ssh-keyscan` prints; compare it there.",
      examples: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcg"],
    }),
});

const restTarget = z.strictObject({
  kind: z.literal("rest-server").meta({
    description: "`rest-server`: restic's own server. Its password is the secret `backup.password`.",
  }),
  url: z
    .string()
    .regex(
      new RegExp(`^https://${HOST}(?:${PORT})?(?:/${FOLDER})*$`),
      "an https URL without user and without / at its end, e.g. https://backup.example.net/matrix",
    )
    .meta({ title: "URL", description: "Its URL.", examples: ["https://backup.example.net/matrix"] }),
  user: word("a user's name", "matrix").meta({ description: "User there.", examples: ["matrix"] }),
});

const s3Target = z.strictObject({
  kind: z.literal("s3").meta({
    description: "`s3`: a bucket of an S3 service. Its secret key is the secret `backup.secretKey`.",
  }),
  endpoint: z
    .string()
    .regex(
      new RegExp(`^https://${HOST}(?:${PORT})?$`),
      "an https URL without path, e.g. https://s3.eu-central-1.amazonaws.com",
    )
    .meta({
      title: "URL",
      description: "URL of the service.",
      examples: ["https://s3.eu-central-1.amazonaws.com"],
    }),
  region: word("a region", "eu-central-1")
    .optional()
    .meta({ description: "Its region. Absent: the service's own.", examples: ["eu-central-1"] }),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket, e.g. matrix-backup")
    .meta({ title: "bucket", description: "The bucket.", examples: ["matrix-backup"] }),
  accessKey: word("an access key", "AKIA…").meta({
    description: "ID of the access key.",
    examples: ["AKIAIOSFODNN7EXAMPLE"],
  }),
});

const count = (many: number, what: string) =>
  z
    .int()
    .min(0)
    .max(1000)
    .default(many)
    .meta({ description: `How many ${what} backups to keep.` });

/** Backups to a place outside of the host; the keys of the target depend on its kind. */
export const backupSchema = z.strictObject({
  host: hostName.meta({ description: "Host that is backed up: the homeserver's host.", examples: ["vps"] }),
  target: z
    .discriminatedUnion("kind", [pathTarget, sftpTarget, restTarget, s3Target])
    .meta({ description: "Where the backups go." }),
  recipient: z
    .string()
    .regex(
      /^age1[02-9ac-hj-np-z]{58}$/,
      "a public key of age, which `age-keygen -o key.txt` prints: age1 and 58 characters",
    )
    .meta({
      title: "public key",
      description:
        "Your public key of age (`age-keygen -o key.txt`). The password of the backups is created on the host, and a copy that only your private key opens is kept next to them and in the output `backupKey`. Keep the private key off the host. Confirm the key once on your machine: `npx hearth trust`.",
      examples: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    }),
  schedule: calendar.default("*-*-* 02:30").meta({
    description:
      "When a backup starts. One that the host missed while it was off starts after the next boot.",
    examples: ["*-*-* 00/6:30"],
  }),
  keep: z
    .strictObject({
      daily: count(7, "daily"),
      weekly: count(5, "weekly"),
      monthly: count(12, "monthly"),
    })
    .prefault({})
    .meta({ description: "Which older backups are kept; others are removed after each backup." }),
  maxAge: days.default("3d").meta({
    description:
      "If no backup has succeeded for this long, the checks after an update fail, and previews warn.",
  }),
  drill: z
    .strictObject({
      enabled: z.boolean().default(true).meta({ description: "Restore the newest backup regularly." }),
      schedule: calendar.default("Sun *-*-* 04:30").meta({ description: "When a drill starts." }),
    })
    .prefault({})
    .meta({
      description:
        "The drill: the host restores the newest backup into a separate database and compares it with what was backed up.",
    }),
  memory: size.default("512M").meta({ description: "Most memory of a backup or a drill." }),
});

export type BackupConfig = z.output<typeof backupSchema>;
export type BackupTarget = BackupConfig["target"];
