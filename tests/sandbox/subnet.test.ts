import { addressIn, chooseSubnet, freeIndex, overlaps, parseRange } from "../../sandbox/subnet";

describe("the sandbox's subnet", () => {
  it("is the first choice if nothing is taken, otherwise hosts lose their address between runs", () => {
    expect(chooseSubnet([], 17)).toBe("10.213.17.0/24");
  });

  it("skips ranges of routes and resolvers, otherwise a route of the machine is cut off", () => {
    expect(chooseSubnet(["10.213.17.0/24", "10.213.18.5", "10.213.19.128/25"], 17)).toBe("10.213.20.0/24");
    expect(chooseSubnet(["10.213.254.0/23"], 254)).toBe("10.213.0.0/24");
  });

  it("ignores the default route, IPv6 and words, otherwise no machine has a free subnet", () => {
    expect(chooseSubnet(["default", "0.0.0.0/0", "fd00::/8", "broadcast"], 3)).toBe("10.213.3.0/24");
  });

  it("does not exist if a VPN routes all of 10/8, so that the caller can report it", () => {
    expect(chooseSubnet(["10.0.0.0/8"], 0)).toBeUndefined();
  });

  it.each([
    ["10.0.0.0/8", "10.213.1.0/24", true],
    ["10.213.1.7", "10.213.1.0/24", true],
    ["10.213.2.0/24", "10.213.1.0/24", false],
    ["192.168.0.0/16", "10.213.1.0/24", false],
  ])("%s meets %s: %s", (a, b, expected) => {
    expect(overlaps(parseRange(a)!, parseRange(b)!)).toBe(expected);
    expect(overlaps(parseRange(b)!, parseRange(a)!)).toBe(expected);
  });

  it("reads the range that contains an address with host bits, not the address itself", () => {
    expect(parseRange("10.213.1.7/24")).toEqual(parseRange("10.213.1.0/24"));
  });

  it.each(["10.213.1.0/33", "10.213.1/24", "x/24", "10.213.1.0/a", ""])(
    "does not accept %j as a range",
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );

  it("returns the lowest free host number, never the network's, the bridge's or the broadcast address", () => {
    expect(freeIndex([])).toBe(2);
    expect(freeIndex([2, 3, 5])).toBe(4);
    expect(freeIndex(Array.from({ length: 253 }, (_, at) => at + 2))).toBeUndefined();
    expect(addressIn("10.213.17.0/24", 254)).toBe("10.213.17.254");
  });
});
