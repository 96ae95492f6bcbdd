import { bytewise } from "./schedule.mjs";

/** A failure of the graph or its author, with a code (INTERPRETING 6). */
export class Failure extends Error {
  constructor(code, message = code) {
    super(message);
    this.name = "Failure";
    this.code = code;
  }
}

/** Several failures at once, in order, and which of them came first. */
export class Failures extends Error {
  constructor(failures, first) {
    super(failures.map((failure) => failure.message).join("; "));
    this.name = "Failures";
    this.failures = failures;
    this.first = first;
  }
}

/** The codes of a failure, sorted, each once; what a body threw by itself has its class as its code. */
export function codes(...errors) {
  const all = errors.flatMap((error) => (error instanceof Failures ? codes(...error.failures) : [error?.code ?? error?.name ?? String(error)]));
  return [...new Set(all)].sort(bytewise);
}

/** One failure as itself, several as one; the same one that came on two ways has come once. */
export function together(errors, first = errors[0]) {
  const all = [...new Set(errors.flatMap((error) => (error instanceof Failures ? error.failures : [error])))];
  return all.length === 1 ? all[0] : new Failures(all, first);
}
