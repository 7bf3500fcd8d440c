/** A proxy's own error, in the format that Matrix clients expect. Synapse's answers are not changed. */
export interface ErrorAnswer {
  /** Statuses that the proxy itself produces. */
  statuses: readonly number[];
  /** Status of the answer. */
  status: number;
  /** One line of JSON. */
  body: string;
}

function answer(statuses: number[], status: number, errcode: string, error: string): ErrorAnswer {
  return { statuses, status, body: JSON.stringify({ errcode, error }) };
}

export const ERROR_ANSWERS = {
  unrecognized: answer([404], 404, "M_UNRECOGNIZED", "Unrecognized request"),
  too_many: answer([429], 429, "M_LIMIT_EXCEEDED", "Too many requests at a time. Try again later"),
  too_large: answer([413], 413, "M_TOO_LARGE", "The request is too large"),
  unavailable: answer([502, 503, 504], 502, "M_UNKNOWN", "The homeserver does not answer. Try again later"),
} as const;
