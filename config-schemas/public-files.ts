import { X509Certificate } from "node:crypto";

/**
 * Files whose content becomes public: previews and the state contain it, and everybody on a host can read it. A stack file can name
 * any path, so only the expected kind of content is taken from such a file.
 */

/** The content of a file of certificates. */
export interface CertificateFile {
  /** Every certificate in it, encoded again, so that nothing else remains. */
  certificates: string[];
  /** Labels of all PEM blocks that are not certificates, e.g. `PRIVATE KEY`. */
  others: string[];
}

/** Reads a PEM file of certificates; text between the blocks is dropped. Throws when it cannot read a certificate. */
export function certificatesIn(text: string): CertificateFile {
  const labels = [...text.matchAll(/-----BEGIN ([^\r\n]*?)-----/g)].map(([, label = ""]) => label);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return {
    certificates: blocks.map((block) => withNewline(new X509Certificate(block).toString())),
    others: [...new Set(labels.filter((label) => label !== "CERTIFICATE"))],
  };
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

const PICTURES: Readonly<Record<string, (content: Buffer) => boolean>> = {
  png: (content) => content.subarray(0, 8).equals(Buffer.from("\x89PNG\r\n\x1a\n", "latin1")),
  jpg: isJpeg,
  jpeg: isJpeg,
  gif: (content) => /^GIF8[79]a/.test(content.toString("latin1", 0, 6)),
  webp: (content) => /^RIFF[\s\S]{4}WEBP/.test(content.toString("latin1", 0, 12)),
};

function isJpeg(content: Buffer): boolean {
  return content.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]));
}

/** Whether the content matches the picture type in the file's name. */
export function isPicture(file: string, content: Buffer): boolean {
  const ending = /\.([a-z]+)$/.exec(file)?.[1] ?? "";
  return PICTURES[ending]?.(content) ?? false;
}

/** Why a file is not a public OpenPGP key; undefined when it is one or several. */
export function publicKeyFault(content: Buffer): string | undefined {
  const labels = [...content.toString("latin1").matchAll(/-----BEGIN ([^\r\n]*?)-----/g)].map(
    ([, label = ""]) => label,
  );
  const other = labels.find((label) => label !== "PGP PUBLIC KEY BLOCK");
  if (other !== undefined) return `holds a ${other}`;
  if (labels.length > 0) return undefined;
  const tags = packetTags(content);
  if (tags?.some((tag) => SECRET_PACKETS.includes(tag))) return "holds a secret key";
  return tags?.[0] === PUBLIC_PACKET ? undefined : "is not an OpenPGP public key";
}

const PUBLIC_PACKET = 6;
const SECRET_PACKETS: readonly number[] = [5, 7];

/** Tags of the OpenPGP packets in a file (RFC 4880, 4.2); undefined when it is not a list of packets. */
function packetTags(content: Buffer): number[] | undefined {
  const tags: number[] = [];
  for (let at = 0; at < content.length; ) {
    const head = content[at] ?? 0;
    if ((head & 0x80) === 0) return undefined;
    const packet = (head & 0x40) === 0 ? oldPacket(content, at) : newPacket(content, at);
    if (packet === undefined || packet.end > content.length) return undefined;
    tags.push(packet.tag);
    at = packet.end;
  }
  return tags;
}

interface Packet {
  tag: number;
  end: number;
}

function oldPacket(content: Buffer, at: number): Packet | undefined {
  const head = content[at] ?? 0;
  const width = [1, 2, 4][head & 3];
  if (width === undefined || at + 1 + width > content.length) return undefined;
  return { tag: (head >> 2) & 15, end: at + 1 + width + content.readUIntBE(at + 1, width) };
}

/** Keys have no partial lengths. */
function newPacket(content: Buffer, at: number): Packet | undefined {
  const tag = (content[at] ?? 0) & 63;
  const [first = 0, second = 0] = content.subarray(at + 1);
  if (first < 192) return { tag, end: at + 2 + first };
  if (first < 224) return { tag, end: at + 3 + ((first - 192) << 8) + second + 192 };
  if (first < 255 || at + 6 > content.length) return undefined;
  return { tag, end: at + 6 + content.readUInt32BE(at + 2) };
}
