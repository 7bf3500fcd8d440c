import { block, quoted } from "./nginx";

interface ErrorAnswer {
  name: string;
  /** Statuses that nginx itself comes to; Synapse's own answers pass through. */
  statuses: readonly number[];
  status: number;
  errcode: string;
  error: string;
}

const ERRORS: readonly ErrorAnswer[] = [
  {
    name: "unrecognized",
    statuses: [404],
    status: 404,
    errcode: "M_UNRECOGNIZED",
    error: "Unrecognized request",
  },
  {
    name: "too_large",
    statuses: [413],
    status: 413,
    errcode: "M_TOO_LARGE",
    error: "The request is too large",
  },
  {
    name: "unavailable",
    statuses: [502, 503, 504],
    status: 502,
    errcode: "M_UNKNOWN",
    error: "The homeserver does not answer. Try again later",
  },
];

/** What nginx says itself, said as Matrix clients expect it. */
export function errorAnswers(): string[] {
  return [
    ...ERRORS.map(({ name, statuses }) => `error_page ${statuses.join(" ")} @${name};`),
    ...ERRORS.flatMap(({ name, status, errcode, error }) =>
      block(`location @${name}`, [
        "default_type application/json;",
        "add_header Access-Control-Allow-Origin * always;",
        `return ${status} ${quoted(JSON.stringify({ errcode, error }))};`,
      ]),
    ),
  ];
}
