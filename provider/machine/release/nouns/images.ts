import { list } from "../../../protocol/shape";
import type { Properties } from "../../../protocol/values";
import { noun } from "../noun";
import { table } from "../tables";
import { absentIsEmpty, line } from "./words";

export interface ImagesSeen {
  /** Those that are there. */
  images: Set<string>;
}

/** Podman takes more; these never need quoting anywhere. */
const image = line(
  "a full image name with its registry and a tag or digest, such as docker.io/library/example:1.0",
  /^[a-z0-9.-]+\.[a-z]+(:\d+)?\/[a-z0-9._/-]+(:[\w.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
);

/** Images of `news` that `olds` does not have. */
export function newImages(olds: Properties, news: Properties): string[] {
  const there = Array.isArray(olds.images) ? olds.images : [];
  const wanted = Array.isArray(news.images) ? news.images : [];
  return wanted.flatMap((one) => (typeof one === "string" && !there.includes(one) ? [one] : []));
}

export const images = noun<"images", ImagesSeen>({
  name: "images",
  shape: absentIsEmpty(list(image, { sorted: true })),
  scope: "user",
  request: (inputs) => [
    table(
      "images",
      inputs.images.map((one) => [one]),
    ),
  ],
  empty: () => ({ images: new Set() }),
  rows: {
    image: (seen, { key, second }) => {
      if (second === "present") seen.images.add(key);
    },
  },
  observed: (inputs, seen) => inputs.images.filter((one) => seen.images.has(one)),
  subject: "image:",
  changed: newImages,
  internal: "all",
  addedLater: true,
});
