// Toast, loading, dialog and action sheet: WeChat's layers over a page.

export interface DialogOptions {
  title?: string;
  content?: string;
  showCancel?: boolean;
  cancelText?: string;
  confirmText?: string;
  cancelColor?: string;
  confirmColor?: string;
  editable?: boolean;
  placeholderText?: string;
}

export interface DialogAnswer {
  confirm: boolean;
  cancel: boolean;
  content: string | null;
}

export class Overlay {
  private readonly place = document.getElementById("wx-overlay")!;
  private bubble: HTMLElement | null = null;
  private timer = 0;

  /** Shows a toast; `ms` null keeps it until it is hidden. */
  toast(words: string, options: { icon: string; image?: string; ms: number | null; mask: boolean }): void {
    this.hideToast();
    const bubble = make("div", "wx-toast");
    bubble.setAttribute("role", "status");
    bubble.dataset["icon"] = options.icon;
    if (options.image) {
      const picture = bubble.appendChild(document.createElement("img"));
      picture.alt = "";
      picture.src = options.image;
    }
    bubble.append(make("span", "", words));
    const mask = make("div", options.mask ? "wx-mask wx-clear" : "wx-nomask");
    mask.append(bubble);
    this.place.append(mask);
    this.bubble = mask;
    if (options.ms !== null) this.timer = window.setTimeout(() => this.hideToast(), options.ms);
  }

  hideToast(): void {
    window.clearTimeout(this.timer);
    this.bubble?.remove();
    this.bubble = null;
  }

  dialog(options: DialogOptions): Promise<DialogAnswer> {
    return new Promise((resolve) => {
      const { mask, box } = this.sheet("wx-dialog", options.title || options.content || "");
      if (options.title) box.append(make("h2", "", options.title));
      const field = options.editable ? make("textarea", "") : null;
      if (field) {
        field.value = options.content ?? "";
        field.placeholder = options.placeholderText ?? "";
        box.append(field);
      } else box.append(make("p", "", options.content ?? ""));
      const row = box.appendChild(make("div", "wx-row"));
      const answer = (confirm: boolean) => (): void => {
        mask.remove();
        resolve({ confirm, cancel: !confirm, content: field && confirm ? field.value : null });
      };
      if (options.showCancel !== false) row.append(button(options.cancelText || "取消", options.cancelColor || "#000000", answer(false)));
      row.append(button(options.confirmText || "确定", options.confirmColor || "#576B95", answer(true)));
      row.querySelector("button")?.focus({ preventScroll: true });
    });
  }

  /** Resolves to the chosen index, or null. */
  choose(items: string[], options: { color?: string; title?: string }): Promise<number | null> {
    return new Promise((resolve) => {
      const { mask, box } = this.sheet("wx-actions", options.title ?? "请选择");
      if (options.title) box.append(make("p", "", options.title));
      const answer = (index: number | null) => (): void => {
        mask.remove();
        resolve(index);
      };
      items.forEach((item, index) => box.append(button(item, options.color ?? "#000000", answer(index))));
      box.append(button("取消", "#000000", answer(null)));
      mask.addEventListener("click", (event) => event.target === mask && answer(null)());
    });
  }

  /** Opens an empty sheet over everything, for the caller to fill. */
  sheet(name: string, label: string): { mask: HTMLElement; box: HTMLElement } {
    const mask = make("div", "wx-mask");
    const box = mask.appendChild(make("div", name));
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-label", label);
    this.place.append(mask);
    return { mask, box };
  }
}

export function make<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, words = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (words) element.textContent = words;
  return element;
}

export function button(words: string, color: string, press: () => void): HTMLButtonElement {
  const element = make("button", "", words);
  element.type = "button";
  element.style.color = color;
  element.addEventListener("click", press);
  return element;
}
