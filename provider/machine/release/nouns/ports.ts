import { record, text } from "../../../protocol/shape";
import { noun } from "../noun";
import { kernelAddress } from "../ports";
import { table } from "../tables";
import { unitName } from "./words";

/** Why a release is refused, and the fix (`-`: none to name). */
export interface Obstacle {
  text: string;
  fix: string;
}

export interface PortsSeen {
  /** What serves on the host already and no release made: on its ports, or as its preflights say. */
  obstacles: Obstacle[];
}

/** See {@link kernelAddress}. */
const portAddress = text({
  write: "a port, or an address and a port: 443, 127.0.0.1:8008 or [::1]:8008",
  refuse: (value) => (kernelAddress(value) === undefined ? "is none" : undefined),
});

export const ports = noun<"ports", PortsSeen>({
  name: "ports",
  shape: record(portAddress, unitName),
  request: (inputs) => [
    table(
      "ports",
      Object.entries(inputs.ports).flatMap(([shown, unit]) => {
        const found = kernelAddress(shown);
        return found === undefined ? [] : [[shown, found.port, found.address, unit]];
      }),
    ),
  ],
  empty: () => ({ obstacles: [] }),
  rows: { obstacle: (seen, { key, second }) => seen.obstacles.push({ text: key, fix: second }) },
});
