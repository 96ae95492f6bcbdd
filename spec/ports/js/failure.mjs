/** A failure that the author of a graph can cure, with a code (INTERPRETING 6). */
export class Failure extends Error {
  name = "Failure";

  constructor(code, message = code) {
    super(message);
    this.code = code;
  }
}

/** What unwinds a cancelled strand (R5). Let it pass: in what is cancelled, each further wait throws it again. */
export class Cancelled extends Error {
  name = "Cancelled";
  message = "this part of the run was cancelled";
}
export const CANCELLED = new Cancelled();

/** The single failures in some, each once: the same one that came on two ways has come once (R4). */
export function apart(failures) {
  return [...new Set(failures.flatMap((failure) => (failure instanceof AggregateError ? failure.errors : [failure])))];
}

/** One failure as itself, several as one, with the `first`, which they have their origin of (R4, E2). */
export function together(failures, first) {
  const all = apart(failures);
  const messages = all.map((failure) => failure?.message ?? failure).join("; ");
  if (all.length === 1) return all[0];
  const origin = first instanceof AggregateError ? first.first : first;
  return Object.assign(new AggregateError(all, messages), { first: origin });
}
