/** A failure that the author of a graph can cure, with a code (INTERPRETING 6). */
export class Failure extends Error {
  constructor(code, message = code) {
    super(message);
    this.name = "Failure";
    this.code = code;
  }
}

/** Several failures that go on together, in order (R4), and the one that they have their origin of (E2). */
export class Failures extends Error {
  constructor(failures, first) {
    super(failures.map((failure) => failure.message).join("; "));
    this.name = "Failures";
    this.failures = failures;
    this.first = first;
  }
}

/** One failure as itself, several as one; the same one that came on two ways has come once (R4). */
export function together(errors, first) {
  const all = [...new Set(errors.flatMap((error) => (error instanceof Failures ? error.failures : [error])))];
  return all.length === 1 ? all[0] : new Failures(all, first);
}

/** What unwinds a cancelled strand (R5). Let it pass: in what is cancelled, each further wait throws it again. */
export class Cancelled extends Error {
  constructor() {
    super("this part of the run was cancelled");
    this.name = "Cancelled";
  }
}
