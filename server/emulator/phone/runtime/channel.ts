// The event channel between a page and the page that opened it.

type Hear = (...values: unknown[]) => void;

export class Channel {
  private readonly heard = new Map<string, Hear[]>();

  on(name: string, hear: Hear): void {
    this.heard.set(name, [...(this.heard.get(name) ?? []), hear]);
  }

  once(name: string, hear: Hear): void {
    const single: Hear = (...values) => {
      this.off(name, single);
      hear(...values);
    };
    this.on(name, single);
  }

  off(name: string, hear?: Hear): void {
    this.heard.set(name, hear ? (this.heard.get(name) ?? []).filter((one) => one !== hear) : []);
  }

  emit(name: string, ...values: unknown[]): void {
    for (const hear of this.heard.get(name) ?? []) hear(...values);
  }
}
