// Search for people by name.

import { ask } from "./net.js";

/** The newest people whose names contain a text, and how many match. */
export async function findPeople(part) {
  const { body } = await ask(`people?q=${encodeURIComponent(part)}`);
  return body;
}
