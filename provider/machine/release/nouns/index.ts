import type { Noun } from "../noun";
import { confirm } from "./confirm";
import { containerSecrets } from "./container-secrets";
import { directories } from "./directories";
import { environments } from "./environments";
import { files } from "./files";
import { health } from "./health";
import { identity } from "./identity";
import { images } from "./images";
import { packages } from "./packages";
import { ports } from "./ports";
import { preflights } from "./preflights";
import { publishes } from "./publishes";
import { repositories } from "./repositories";
import { revisions } from "./revisions";
import { secrets } from "./secrets";
import { tasks } from "./tasks";
import { units } from "./units";
import { users } from "./users";
import { validators } from "./validators";

/** All nouns of a Release, in the order in which messages name them. */
const TABLE = {
  ...{ identity, packages, repositories, users, directories, files, secrets, images, containerSecrets },
  ...{ environments, tasks, units, ports, preflights, revisions, validators, health },
  ...{ publishes, confirm },
};

type All = (typeof TABLE)[keyof typeof TABLE];
type Seen<N> = N extends Noun<infer _, infer S> ? S : never;
type Intersection<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/** Name of a map of a Release. */
export type NounName = keyof typeof TABLE;
/** What a look at a host can see of all nouns. */
export type NounsSeen = Intersection<Seen<All>>;

/** A noun of any kind: each reads its own part of what was seen. */
export type AnyNoun = Noun<NounName, NounsSeen>;

/** The same as a list; each part of what was seen is there, so each noun finds its own. */
export const NOUNS = Object.values(TABLE) as unknown as readonly AnyNoun[];

/** Shapes by name. */
export const NOUN_SHAPES = Object.fromEntries(
  Object.values(TABLE).map(({ name, shape }) => [name, shape]),
) as { [N in NounName]: (typeof TABLE)[N]["shape"] };

/** Nouns whose keys are paths, of which a release is the only owner. */
export const PATH_NOUNS = NOUNS.filter(({ ownsPaths }) => ownsPaths);
