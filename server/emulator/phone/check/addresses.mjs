/** The package requests only the server: it contains no other address. */

import { inReach } from "../compile/parts.mjs";
import { fault } from "./app.mjs";

const TEXT = /\.(ts|js|json|wxml|wxss|wxs|svg)$/;
const ADDRESS = /(?:https?:)?\/\/[A-Za-z0-9](?:[\w-]*\.)+[A-Za-z]{2,}[^\s"'`)<>]*/g;
const NAMESPACE = /^http:\/\/www\.w3\.org\//;
const CONFIG = "config/";

export function foreignAddresses(app, { server }) {
  return app.files
    .filter((file) => TEXT.test(file))
    .flatMap((file) => {
      const allowed = (address) =>
        NAMESPACE.test(address) || (address === server && file.startsWith(CONFIG));
      return app
        .text(file)
        .split("\n")
        .flatMap((text, index) =>
          (text.match(ADDRESS) ?? [])
            .filter((address) => !allowed(address))
            .map((address) => fault(file, index + 1, `foreign address ${address}`)),
        );
    });
}

/** Finds pictures of templates and style sheets that are not in the package. */
export function missingPictures(app) {
  return app.units().flatMap(({ path }) => {
    if (!app.has.has(`${path}.wxml`)) return [];
    return app.tags(`${path}.wxml`).flatMap((tag) =>
      tag.attributes
        .filter(({ name, value }) => name === "src" && value !== "" && !value.includes("{{"))
        .filter(
          ({ value }) => !value.startsWith("data:") && !app.has.has(app.near(tag.file, value)),
        )
        .map(({ value, line }) => fault(tag.file, line, `"${value}" is not in the package`)),
    );
  });
}

/** Finds pictures of a sub-package used outside it: they may not be loaded yet. */
export function strangePictures(app) {
  return app.own.filter((file) => file.endsWith(".wxml")).flatMap((file) =>
    app.tags(file).flatMap((tag) =>
      tag.attributes
        .filter(({ name, value }) => tag.file === file && name === "src" && /\.\w+$/.test(value) && !value.includes("{{"))
        .filter(({ value }) => !inReach(app.disk, file, app.near(file, value)))
        .map(({ value, line }) => fault(file, line, `"${value}" lies in a package that this file cannot see into`)),
    ),
  );
}
