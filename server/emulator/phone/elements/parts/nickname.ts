// `type="nickname"`: suggests the person's WeChat name, and checks any name that is entered.

import type { Host } from "../../runtime/element.ts";
import { failure, wordsOf } from "../../runtime/trouble.ts";

/** Adds the suggestion (on first focus) and the check (of a typed name, on blur) to a field. */
export function nickname(host: Host, box: HTMLInputElement): void {
  const field = new Field(host, box);
  let offered = false;
  let before = "";
  box.addEventListener("focus", () => {
    before = box.value;
    if (offered || box.value) return;
    offered = true;
    told(field.offer());
  });
  box.addEventListener("blur", () => {
    if (box.value.trim() && ![before, field.known].includes(box.value)) told(field.review());
  });
}

function told(work: Promise<void>): void {
  work.catch((thrown: unknown) => failure(`nickname: ${wordsOf(thrown)}`));
}

class Field {
  /** The last checked name. */
  known = "";
  private readonly host: Host;
  private readonly box: HTMLInputElement;

  constructor(host: Host, box: HTMLInputElement) {
    this.host = host;
    this.box = box;
  }

  async offer(): Promise<void> {
    try {
      await this.host.phone.privacy.ensure("input type=nickname");
    } catch {
      // WeChat then turns the field into a plain one without a message.
      return;
    }
    const { name, pass } = await this.host.phone.shell.ask("nickname", {});
    if (name === null) return;
    this.fill(name);
    this.judged(name, pass);
  }

  async review(): Promise<void> {
    const name = this.box.value;
    const { pass } = await this.host.phone.shell.ask("nicknameReview", { name });
    this.judged(name, pass);
  }

  /** Clears a name that fails the check. */
  private judged(name: string, pass: boolean): void {
    this.known = name;
    if (!pass && this.box.value === name) this.fill("");
    this.host.emit("nicknamereview", { pass, timeout: false });
  }

  private fill(value: string): void {
    this.box.value = value;
    this.host.change({ value });
    this.host.emit("input", { value, cursor: value.length });
  }
}
