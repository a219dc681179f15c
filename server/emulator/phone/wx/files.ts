// The program's own folder of files, kept for this run, and sharing a file to a chat.

import type { Phone } from "../runtime/phone.ts";
import { type Family, text } from "./api.ts";

const FOLDER = "http://usr";
/** Storage limit of one program. Source: FileSystemManager, "storage limits". */
const MOST_BYTES = 200 * 1024 * 1024;

/** The files of a program by their full paths. */
class Folder {
  private readonly files = new Map<string, Blob>();

  write(path: string, data: string | ArrayBuffer): void {
    if (!path.startsWith(`${FOLDER}/`) || path.includes("..")) throw new Error(`permission denied, open ${path}`);
    const file = new Blob([data]);
    const held = [...this.files].reduce((sum, [name, { size }]) => sum + (name === path ? 0 : size), 0);
    if (held + file.size > MOST_BYTES) throw new Error("the maximum size of the file storage limit is exceeded");
    this.files.set(path, file);
  }

  find(path: string): Blob {
    const file = this.files.get(path);
    if (!file) throw new Error(`no such file or directory ${path}`);
    return file;
  }

  remove(path: string): void {
    this.find(path);
    this.files.delete(path);
  }
}

/** Adds WeChat's error message to exceptions of synchronous functions. */
function named<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw new Error(`${name}:fail ${(thrown as Error).message}`);
  }
}

export const files: Family = (phone: Phone, add) => {
  const folder = new Folder();
  const manager = {
    writeFileSync: (path: string, data: string | ArrayBuffer) => named("writeFileSync", () => folder.write(path, data)),
    accessSync: (path: string) => void named("accessSync", () => folder.find(path)),
    unlinkSync: (path: string) => named("unlinkSync", () => folder.remove(path)),
  };
  phone.api["env"] = { USER_DATA_PATH: FOLDER };
  add.now("getFileSystemManager", () => manager);
  add.later("shareFileMessage", async ({ filePath, fileName }) => {
    if (!phone.taps.tapped) throw new Error("can only be invoked by user TAP gesture.");
    const path = text(filePath);
    const name = text(fileName) || path.slice(path.lastIndexOf("/") + 1);
    const { taken } = await phone.shell.ask("shareFile", { file: folder.find(path), name });
    if (!taken) throw new Error("cancel");
  });
};
