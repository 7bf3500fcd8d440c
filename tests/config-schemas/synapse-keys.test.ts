import { placeOf } from "../../components/homeserver/place";
import { homeserverSettings } from "../../components/homeserver/render";
import { synapseKeyAdvice } from "../../config-schemas/homeserver/synapse-keys";
import { fixtureStacks, parsedFixture } from "../fixtures/stacks";

const DATABASE = {
  role: "r",
  database: "d",
  host: "/run/postgresql",
  pool: { min: 1, max: 2 },
  passfileCommand: ["x"],
  unit: "postgresql@17-main.service",
  console: ["psql"],
};

/** This test does not depend on paths. */
const EVERYWHERE = {
  ...{ config: String, program: String, data: String, secret: String, interpreter: "" },
  listen: (listeners: readonly { address: string; port: number }[]) => listeners,
};

test("[V4] every setting that Hearth writes is refused in extra; otherwise extra would silently replace it", () => {
  const written = fixtureStacks().flatMap((stack) => {
    const { homeserver } = parsedFixture(stack).config;
    const settings = homeserverSettings(homeserver, {
      database: DATABASE,
      place: placeOf(homeserver, { inside: EVERYWHERE }),
      identityServer: "https://id.example.org",
    });
    return Object.keys(settings);
  });
  expect(written.length).toBeGreaterThan(50);
  expect([...new Set(written)].filter((key) => synapseKeyAdvice(key) === undefined)).toEqual([]);
});
