/** A change by hand on the host of a VPS stack. */
export interface HandEdit {
  what: string;
  /** Shell text run on the host. */
  edit: string;
  /** The text that the next plain preview must contain. */
  shown: RegExp[];
  /** Shell text that succeeds after the repair. */
  repaired: string;
}

const YAML = "/etc/hearth/homeserver/homeserver.yaml";

/** One edit of every kind; together they are like a host after an hour of manual work. */
export const HAND_EDITS: HandEdit[] = [
  {
    what: "a changed line of a file",
    edit: `sed -i 's/max_upload_size: 100M/max_upload_size: 900M/' ${YAML}`,
    shown: [/changed by hand: .*homeserver\.yaml/, /-\s+max_upload_size: 900M/, /\+\s+max_upload_size: 100M/],
    repaired: `grep -q 'max_upload_size: 100M' ${YAML}`,
  },
  {
    what: "a file's mode",
    edit: `chmod 0666 ${YAML}`,
    shown: [/changed by hand: .*homeserver\.yaml/, /mode\s*: "0666" => "0644"/],
    repaired: `! stat -c %a ${YAML} | grep -q 666`,
  },
  {
    what: "a deleted file",
    edit: "rm /etc/systemd/system/matrix-synapse.service",
    shown: [
      /changed by hand: .*matrix-synapse\.service/,
      /\+ .*\/etc\/systemd\/system\/matrix-synapse\.service/,
    ],
    repaired: "test -s /etc/systemd/system/matrix-synapse.service",
  },
  {
    what: "a stopped unit",
    edit: "systemctl stop nginx.service",
    shown: [/changed by hand: .*nginx\.service/, /nginx\.service[\s\S]*state\s*: "\w+"\s*=> "running"/],
    repaired: "systemctl is-active --quiet nginx.service",
  },
  {
    what: "a disabled unit",
    edit: "systemctl disable nginx.service",
    shown: [/changed by hand: .*nginx\.service/, /nginx\.service[\s\S]*enabled\s*: false => true/],
    repaired: "systemctl is-enabled --quiet nginx.service",
  },
  {
    what: "a stopped homeserver, whose accounts cannot be looked at",
    edit: "systemctl stop matrix-synapse.service",
    shown: [/changed by hand: .*matrix-synapse\.service/, /matrix-synapse\.service[\s\S]*"running"/],
    repaired: "systemctl is-active --quiet matrix-synapse.service",
  },
  {
    what: "a removed package",
    edit: "dpkg --force-depends -r python3-psycopg2",
    shown: [/changed by hand: .*python3-psycopg2/, /\+ python3-psycopg2|python3-psycopg2/],
    repaired: "dpkg -s python3-psycopg2 | grep -q '^Status: install ok installed'",
  },
  {
    what: "flushed rules of the firewall",
    edit: "nft flush ruleset",
    shown: [/the table inet hearth is not loaded, so all ports are open/],
    repaired: "nft list table inet hearth | grep -q 'policy drop'",
  },
];
