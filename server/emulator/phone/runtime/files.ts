// Sources of pictures: files of the app, temporary files, outside addresses, data URLs.

const TEMPORARY = "http://tmp/";

/** Temporary files of this run, and the URLs under which the page loads any file. */
export class Files {
  private readonly blobs = new Map<string, { blob: Blob; url: string }>();

  /** Stores a file and returns WeChat's form of path for it. */
  keep(blob: Blob, ending = "png"): string {
    const path = `${TEMPORARY}${this.blobs.size + 1}.${ending}`;
    this.blobs.set(path, { blob, url: URL.createObjectURL(blob) });
    return path;
  }

  blob(path: string): Blob | undefined {
    return this.blobs.get(path)?.blob;
  }

  /** The URL to load; `owner` is the page or component that names it. */
  url(path: string, owner: string): string {
    if (path === "" || /^(data|blob):/.test(path)) return path;
    const kept = this.blobs.get(path);
    if (kept) return kept.url;
    const outside = /^https?:\/\/([^/]+)(\/.*)?$/.exec(path);
    if (outside) return `/phone/net/${outside[1]}${outside[2] ?? "/"}`;
    if (path.startsWith("/phone/")) return path;
    return `files${new URL(path, `http://app/${owner}`).pathname}`;
  }
}
