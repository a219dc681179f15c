// Audio playback; one player per createInnerAudioContext.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";

const EVENTS = { onPlay: "play", onPause: "pause", onEnded: "ended", onError: "error", onCanplay: "canplay", onTimeUpdate: "timeupdate", onWaiting: "waiting" };

export const audio: Family = (phone, add) => {
  add.now("createInnerAudioContext", () => new Player(phone).context());
};

class Player {
  private readonly sound = new Audio();
  private readonly phone: Phone;
  private path = "";

  constructor(phone: Phone) {
    this.phone = phone;
  }

  context(): object {
    const { sound } = this;
    const made: Record<string, unknown> = {
      play: () => void sound.play().catch(() => undefined),
      pause: () => sound.pause(),
      stop: () => this.stop(),
      seek: (seconds: number) => void (sound.currentTime = seconds),
      destroy: () => this.stop(),
      onStop: (hear: () => void) => sound.addEventListener("stop", hear),
      offStop: (hear: () => void) => sound.removeEventListener("stop", hear),
    };
    for (const [name, event] of Object.entries(EVENTS)) {
      made[name] = (hear: () => void) => sound.addEventListener(event, hear);
      made[name.replace(/^on/, "off")] = (hear: () => void) => sound.removeEventListener(event, hear);
    }
    return this.withProperties(made);
  }

  private stop(): void {
    this.sound.pause();
    this.sound.currentTime = 0;
    this.sound.dispatchEvent(new Event("stop"));
  }

  private withProperties(made: object): object {
    const { sound } = this;
    const plain = (name: "autoplay" | "loop" | "volume" | "playbackRate" | "currentTime"): PropertyDescriptor => ({
      get: () => sound[name],
      set: (value: never) => void ((sound as unknown as Record<string, unknown>)[name] = value),
    });
    return Object.defineProperties(made, {
      src: {
        get: () => this.path,
        set: (path: string) => {
          this.path = path;
          sound.src = this.phone.files.url(path, this.phone.router.top.path);
        },
      },
      duration: { get: () => sound.duration || 0 },
      paused: { get: () => sound.paused },
      autoplay: plain("autoplay"),
      loop: plain("loop"),
      volume: plain("volume"),
      playbackRate: plain("playbackRate"),
      currentTime: plain("currentTime"),
    });
  }
}
