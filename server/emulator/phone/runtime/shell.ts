// The interface of the shell, which emulates WeChat around the mini-program; see SHELL.md.

export interface Start {
  person: string;
  path: string;
  query: Record<string, string>;
  scene: number;
  shareTicket?: string;
  mode: "default" | "singlePage";
}

export interface Card {
  title: string;
  path: string;
  imageUrl: string;
}

export interface Shared {
  card: Card;
  timeline: Card | null;
  withShareTicket: boolean;
}

type Nothing = Record<string, never>;
/**
 * WeChat's list is open: "accept", "acceptWithAudio", "reject", "ban", "filter", and future values.
 */
export type Consent = string;

export interface Asks {
  login: [Nothing, { code: string }];
  checkSession: [Nothing, { valid: boolean }];
  groupEnter: [Nothing, { encryptedData: string; iv: string }];
  subscribe: [{ tmplIds: string[]; tapped: boolean }, { results: Record<string, Consent> }];
  setting: [Nothing, { mainSwitch: boolean; itemSettings: Record<string, Consent> }];
  phoneNumber: [Nothing, { code: string | null }];
  avatar: [Nothing, { file: Blob | null }];
  nickname: [Nothing, { name: string | null; pass: boolean }];
  nicknameReview: [{ name: string }, { pass: boolean }];
  privacyState: [Nothing, { needAuthorization: boolean; privacyContractName: string }];
  privacy: [Nothing, { agreed: boolean }];
  agreePrivacy: [Nothing, Nothing];
  privacyContract: [Nothing, Nothing];
  scan: [{ onlyFromCamera?: boolean }, { result: string; scanType: string; path: string } | null];
  share: [Shared, { to: "person" | "group" | "timeline" | null }];
  shareFile: [{ file: Blob; name: string }, { taken: boolean }];
  position: [{ type: string; purpose: string }, { latitude: number; longitude: number } | null];
  map: [{ latitude: number; longitude: number; name: string; address: string; scale: number }, Nothing];
  phoneCall: [{ phoneNumber: string }, { called: boolean }];
  officialAccount: [Nothing, Nothing];
  close: [Nothing, Nothing];
}

/** Functions of the running mini-program that the shell calls. */
export interface Program {
  show(start: Start): void;
  hide(): void;
  /** The browser's Back; returns whether the program handled it. */
  back(): boolean;
  menu(): { share: boolean; timeline: boolean };
  share(from: "menu"): Promise<Shared | null>;
}

export interface Shell {
  readonly start: Start;
  /** Emulated time minus real time, in milliseconds. */
  readonly clockAhead: number;
  join(program: Program): void;
  ask<K extends keyof Asks>(kind: K, facts: Asks[K][0]): Promise<Asks[K][1]>;
}

declare global {
  interface Window {
    shell?: Shell;
  }
}
