import type { AccountInputs } from "../../contract/matrix";
import { flag, kinds, object, oneOf, optional, type Shape, text } from "../../protocol/shape";
import { accessMembers } from "../access";

/** Hearth's own admin account, see provider/matrix/programs/homeserver.py. */
const OWN_LOCALPART = "hearth";
/** A user ID has at most 255 characters, the server name and two signs among them. */
const LONGEST = 200;

type Password = AccountInputs["password"];

const members: { [K in keyof AccountInputs]-?: Shape<AccountInputs[K]> } = {
  ...accessMembers,
  localpart: text({
    // The specification allows `/` too; it would be a folder in the password file's path.
    pattern: /^[a-z0-9._=+-]+$/,
    write: "a localpart of lower-case letters, digits and . _ = + -",
    refuse: (value) => {
      if (value === OWN_LOCALPART) return "is Hearth's own account";
      return value.length > LONGEST ? `is longer than ${LONGEST} characters` : undefined;
    },
  }),
  admin: flag,
  displayName: optional(text({ pattern: /^.{1,256}$/u, write: "a name of 1 to 256 characters" })),
  deactivated: flag,
  password: kinds<Password>({
    generated: object<Extract<Password, { kind: "generated" }>>({
      kind: oneOf("generated"),
      reclaim: optional(flag),
    }),
    given: object<Extract<Password, { kind: "given" }>>({
      kind: oneOf("given"),
      value: text({ pattern: /^.{1,512}$/u, write: "a password of 1 to 512 characters", sensitive: true }),
    }),
  }),
};

/** An account as the program asks for it. */
export const accountShape: Shape<AccountInputs> = object<AccountInputs>(members);

/** An account as the state holds it: Read puts the display name there, and users give themselves any name, or none. */
export const storedAccountShape: Shape<AccountInputs> = object<AccountInputs>({
  ...members,
  displayName: optional(text({ write: "a name", multiline: true })),
});
